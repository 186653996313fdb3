/** Who the masters are and how each stands: all are asked at once, and named from each other's notes. */
import { OutlastError } from "../model/errors.ts";
import { defaults } from "../model/limits.ts";
import type { MemberView } from "../model/member.ts";
import { Connection, type ConnectionOptions, toBaseUrl } from "./connection.ts";
import type { MasterReport } from "./masterReport.ts";

/** One master, as far as anybody could tell. */
export interface MasterState {
  /** Base URL. */
  readonly address: string;
  /** Null if it has never been heard of. */
  readonly name: string | null;
  /**
   * `outdated` believes that it leads, and another has followed it. `silent` does not answer: what is told of it is what
   * it had written down last, if anything.
   */
  readonly role: MasterReport["role"] | "outdated" | "silent";
  readonly epoch: number | null;
  readonly seq: number | null;
  /** Journal entries that it is behind the leader; null if one of the two is silent. */
  readonly lag: number | null;
  readonly roleSince: number | null;
  /** Base URL of the leader as far as it knows. */
  readonly leader: string | null;
  readonly store: string | null;
  /** Of the store: masters with different ones know nothing of each other. Null if it does not answer. */
  readonly incarnation: string | null;
  readonly trouble: string | null;
  /** True where nobody needs a credential; null if it does not tell. */
  readonly isOpen: boolean | null;
}

/** What one master answered; nulls for one that is silent. */
interface Answer {
  readonly address: string;
  readonly report: MasterReport | null;
  readonly members: readonly MemberView[] | null;
}

/** Asks every master that is known here or to the others. @throws OutlastError if none answers */
export async function readMasters(
  connection: Connection,
  options: Omit<ConnectionOptions, "masters">,
  signal: AbortSignal | undefined,
): Promise<readonly MasterState[]> {
  const ask = (address: string) => askOne(address, options, signal);
  const askAll = (addresses: readonly string[]) => Promise.all(addresses.map(ask));
  const answers = await askAll(connection.masters);
  const members =
    answers.find((answer) => answer.members !== null)?.members ??
    (await connection.json<{ masters: readonly MemberView[] }>({ method: "GET", path: "/v1/masters", signal })).masters;
  const nonces = new Set(answers.map(({ report }) => report?.nonce));
  // A master that has only just started knows its leader before it has read the notes of all others.
  const named = [
    ...members.filter((member) => !nonces.has(member.nonce)).map((member) => member.address),
    ...answers.flatMap(({ report }) => report?.leader ?? []),
  ];
  const unknown = [...new Set(named.map(toBaseUrl))].filter((address) => !isAsked(answers, address));
  const all = [...answers, ...(await askAll(unknown))];
  const silent = all.filter(({ report }) => report === null);
  if (silent.length === 0) return toStates(all, members);
  // While a silent one was waited for, another may have been elected: the rest is asked again, so that all is of one moment.
  const answering = all.filter(({ report }) => report !== null).map(({ address }) => address);
  return toStates([...(await askAll(answering)), ...silent], members);
}

/** Null for one that does not answer soon, whatever the reason. */
async function askOne(
  address: string,
  options: Omit<ConnectionOptions, "masters">,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const patience = AbortSignal.timeout(defaults.masterPatienceMs);
  const either = signal === undefined ? patience : AbortSignal.any([signal, patience]);
  const connection = new Connection({ ...options, masters: [address], retryForMs: 0 });
  const get = <Body>(path: string) => connection.json<Body>({ method: "GET", path, signal: either });
  try {
    const report = await get<MasterReport>("/v1/status");
    const notes = await get<{ masters: readonly MemberView[] }>("/v1/masters").catch(() => null);
    return { address, report, members: notes?.masters ?? null };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof OutlastError && (error.code === "unauthorized" || error.code === "forbidden"))
      throw new OutlastError(error.code, `${address}: ${error.message}`, error.details);
    return { address, report: null, members: null };
  }
}

function isAsked(answers: readonly Answer[], address: string): boolean {
  return answers.some((answer) => answer.address === address || answer.report?.address === address);
}

/** The leader first, then by name; each process once, by whatever addresses it was found. */
function toStates(answers: readonly Answer[], members: readonly MemberView[]): MasterState[] {
  const reports = new Map<string, MasterReport>();
  for (const { report } of answers) if (report !== null) reports.set(report.nonce, report);
  // Epochs count per store, should there be masters of several.
  const peersOf = ({ incarnation }: MasterReport) =>
    [...reports.values()].filter((report) => report.incarnation === incarnation);
  const states = [...reports.values()].map((report) => toState(report, peersOf(report)));
  const addresses = new Set([...reports.values()].map((report) => toBaseUrl(report.address)));
  for (const { address, report } of answers) {
    if (report !== null || addresses.has(address)) continue;
    addresses.add(address);
    states.push(toSilent(address, members));
  }
  const rank = (state: MasterState) =>
    ["leader", "standby", "starting", "stopping", "outdated", "silent"].indexOf(state.role);
  return states.sort(
    (a, b) => rank(a) - rank(b) || (a.name ?? a.address).localeCompare(b.name ?? b.address, "en", { numeric: true }),
  );
}

function toState(report: MasterReport, peers: readonly MasterReport[]): MasterState {
  const { address, name, role, seq, roleSince, store, incarnation, trouble } = report;
  const epoch = Math.max(...peers.map((peer) => peer.epoch));
  const leader = peers.find((peer) => peer.role === "leader" && peer.epoch === epoch);
  return {
    address,
    name,
    role: role === "leader" && report.epoch < epoch ? "outdated" : role,
    epoch: report.epoch,
    seq,
    lag: leader === undefined ? null : Math.max(0, leader.seq - seq),
    roleSince,
    leader: report.leader,
    store,
    incarnation,
    trouble,
    isOpen: report.isOpen ?? null,
  };
}

function toSilent(address: string, members: readonly MemberView[]): MasterState {
  // Of several processes that had this address, the last one.
  const notes = members.filter((member) => toBaseUrl(member.address) === address);
  const [note] = notes.sort((a, b) => a.unchangedMs - b.unchangedMs);
  return {
    address,
    name: note?.name ?? null,
    role: "silent",
    epoch: note?.epoch ?? null,
    seq: note?.seq ?? null,
    lag: null,
    roleSince: null,
    leader: null,
    store: null,
    incarnation: null,
    trouble: null,
    isOpen: null,
  };
}
