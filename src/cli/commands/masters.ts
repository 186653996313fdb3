/** `outlast masters`: who leads, and how far behind the others are. */
import type { Command } from "commander";
import type { MasterState } from "../../sdk/masters.ts";
import { masterColours } from "../colour.ts";
import { action, type Context } from "../context.ts";
import { openText } from "../doctor/credentials.ts";
import { formatDuration } from "../duration.ts";
import { describeHolder, findLockHolder, lockedPath } from "../lockHolder.ts";
import type { Column } from "../table.ts";
import { printable } from "../terminalText.ts";

export function mastersCommand(program: Command): void {
  program.command("masters").action(action(listMasters));
}

async function listMasters(context: Context): Promise<undefined> {
  const client = await context.client();
  const masters = await client.masters({ signal: context.signal });
  const { output } = context;
  if (output.isJson) return output.document({ masters }) as undefined;
  output.table(columns(Date.now()), masters);
  if (!masters.some((master) => master.role === "leader")) {
    output.note(noLeaderText(masters));
  }
  if (new Set(masters.flatMap(({ incarnation }) => incarnation ?? [])).size > 1) {
    output.note(
      "The masters use different stores, and masters of one store know nothing of the tasks of another. Start all of them with the same --store.",
    );
  }
  if (masters.some(({ isOpen }) => isOpen === true)) output.note(openText.join(" "));
  for (const { name, address, trouble } of masters) {
    if (trouble !== null) output.note(`${printable(name ?? address)} is in trouble: ${printable(trouble)}`);
  }
  for (const path of new Set(masters.flatMap(({ store }) => lockedPath(store) ?? []))) {
    const holder = await findLockHolder(path);
    if (holder !== null) output.note(describeHolder(path, holder).map(printable).join("\n"));
  }
}

/** A leader that is silent here may lead all the same: its address may mean something inside of its network only. */
function noLeaderText(masters: readonly MasterState[]): string {
  const follower = masters.find(({ leader }) => leader !== null);
  if (follower === undefined)
    return "No master leads at the moment. Running tasks go on; an election takes a few seconds at most.";
  const name = printable(follower.name ?? follower.address);
  return `${name} follows ${printable(follower.leader ?? "")}, which does not answer here. If it is down, another master leads within seconds.`;
}

function columns(now: number): readonly Column<MasterState>[] {
  return [
    { title: "MASTER", text: (master) => printable(master.name ?? "?") },
    { title: "ROLE", text: (master) => master.role, colour: (master) => masterColours[master.role] },
    { title: "ADDRESS", text: (master) => master.address },
    { title: "EPOCH", text: (master) => toText(master.epoch), isRightAligned: true },
    { title: "SEQ", text: (master) => toText(master.seq), isRightAligned: true },
    { title: "LAG", text: (master) => toText(master.lag), isRightAligned: true },
    {
      title: "SINCE",
      text: ({ roleSince }) => (roleSince === null ? "" : formatDuration(Math.max(0, now - roleSince))),
      isRightAligned: true,
    },
    { title: "STORE", text: (master) => printable(master.store ?? ""), isElastic: true },
  ];
}

function toText(value: number | null): string {
  return value === null ? "" : String(value);
}
