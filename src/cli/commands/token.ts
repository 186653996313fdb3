/** `outlast token`: makes, lists and removes tokens of programs and workers. */
import { type Command, Option } from "commander";
import { type Role, roles } from "../../model/principals/principal.ts";
import type { TokenView } from "../../model/principals/records.ts";
import { idArgument, positiveDuration } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { formatInstant } from "../duration.ts";
import type { Column } from "../table.ts";
import { queuePatternsOption, roleOption } from "./user.ts";

interface AddFlags {
  readonly role: Role;
  readonly queues?: readonly string[];
  readonly expires?: number;
}

export function tokenCommand(program: Command): void {
  const token = program.command("token");
  token
    .command("add")
    .description("make a token and print it; it is shown only once")
    .argument("<name>", "name of the token", idArgument)
    .addOption(roleOption(roles).makeOptionMandatory())
    .addOption(queuePatternsOption())
    .addOption(new Option("--expires <duration>", "how long it is accepted").argParser(positiveDuration))
    .action(action(addToken));
  token.command("ls", { isDefault: true }).description("list the tokens").action(action(listTokens));
  token
    .command("rm")
    .description("remove a token; it is refused from now on")
    .argument("<name>", "name of the token", idArgument)
    .action(action(removeToken));
}

async function addToken(context: Context, name: string, { role, queues, expires }: AddFlags): Promise<undefined> {
  const client = await context.client();
  const made = await client.people.addToken(
    {
      name,
      role,
      ...(queues !== undefined && { queues }),
      ...(expires !== undefined && { expiresAt: Date.now() + expires }),
    },
    { signal: context.signal },
  );
  if (context.output.isJson) return context.output.document(made) as undefined;
  context.output.line(made.token);
  context.output.note(`Token ${name} (${role}). It is shown only now; Outlast keeps a hash of it.`);
}

async function listTokens(context: Context): Promise<undefined> {
  const client = await context.client();
  const tokens = await client.people.tokens({ signal: context.signal });
  const { output } = context;
  if (output.isJson) return output.document({ tokens }) as undefined;
  if (tokens.length === 0)
    return output.note("There are no tokens. `outlast token add NAME --role worker` makes one.") as undefined;
  output.table(columns, tokens);
}

async function removeToken(context: Context, name: string): Promise<undefined> {
  const client = await context.client();
  await client.people.removeToken(name, { signal: context.signal });
  if (context.output.isJson) context.output.document({ name });
  else context.output.line(`${name} is removed.`);
}

const instant = (at: number | undefined, otherwise: string) => (at === undefined ? otherwise : formatInstant(at));

const columns: readonly Column<TokenView>[] = [
  { title: "TOKEN", text: ({ name }) => name, isElastic: true },
  { title: "ROLE", text: ({ role }) => role },
  { title: "QUEUES", text: ({ queues }) => queues?.join(" ") ?? "all" },
  { title: "EXPIRES", text: ({ expiresAt }) => instant(expiresAt, "never") },
  { title: "LAST USED", text: ({ lastUsedAt }) => instant(lastUsedAt, "never") },
  { title: "BY", text: ({ createdBy }) => createdBy },
];
