/** `outlast audit`: prints who changed what, who signed in, and who was refused. */
import { type Command, Option } from "commander";
import { limits } from "../../model/limits.ts";
import type { AuditRecord } from "../../model/principals/audit.ts";
import { wholeNumber } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { formatInstant } from "../duration.ts";
import type { Column } from "../table.ts";

interface AuditFlags {
  readonly by?: string;
  readonly action?: string;
  readonly target?: string;
  readonly outcome?: "done" | "refused";
  readonly limit: number;
}

export function auditCommand(program: Command): void {
  program
    .command("audit")
    .option("--by <principal>", "only of this principal: user:ada, token:ci, root, anybody")
    .option("--action <action>", "only this action: cancel, sign-in, add-user …")
    .option("--target <name>", "only what was done to this task, queue, user …")
    .addOption(new Option("--outcome <outcome>", "only what was done, or refused").choices(["done", "refused"]))
    .addOption(
      new Option("--limit <count>", "how many records to print")
        .default(limits.pageDefault)
        .argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
    )
    .action(action(printAudit));
}

async function printAudit(
  context: Context,
  { limit, by, action: what, target, outcome }: AuditFlags,
): Promise<undefined> {
  const filters = {
    ...(by !== undefined && { by }),
    ...(what !== undefined && { action: what }),
    ...(target !== undefined && { target }),
    ...(outcome !== undefined && { outcome }),
  };
  const client = await context.client();
  const { output, signal } = context;
  const records: AuditRecord[] = [];
  for await (const record of client.people.audit({ ...filters, signal })) {
    records.push(record);
    if (records.length === limit) break;
  }
  if (output.isJson) return output.document({ records }) as undefined;
  if (records.length === 0) return output.note("There are no such records.") as undefined;
  output.table(columns, records);
}

const columns: readonly Column<AuditRecord>[] = [
  { title: "WHEN", text: ({ at }) => formatInstant(at) },
  { title: "BY", text: ({ by }) => (by === "" ? "-" : by) },
  { title: "ACTION", text: (record) => record.action },
  {
    title: "TARGET",
    text: ({ target = "-", count }) => (count === undefined ? target : `${target} (${count})`),
    isElastic: true,
  },
  {
    title: "OUTCOME",
    text: ({ outcome }) => outcome,
    colour: ({ outcome }) => (outcome === "refused" ? "yellow" : null),
  },
  { title: "FROM", text: ({ address }) => address ?? "-" },
];
