/** `outlast user`: adds, lists, changes and removes users. */
import { type Command, Option } from "commander";
import { type Role, roles } from "../../model/principals/principal.ts";
import type { UserView } from "../../model/principals/records.ts";
import { idArgument, patternList } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { formatInstant } from "../duration.ts";
import { readPassword } from "../secrets.ts";
import type { Column } from "../table.ts";

interface Scope {
  readonly queues?: readonly string[];
}

export function queuePatternsOption(): Option {
  return new Option(
    "--queues <patterns>",
    "only these queues, separated by commas; etl-* for all that begin so",
  ).argParser(patternList);
}

export function roleOption(allowed: readonly string[]): Option {
  return new Option("--role <role>", "what it may do; docs/access.md lists every route").choices(allowed);
}

/** A worker is no person. */
const userRoles = roles.filter((role) => role !== "worker");

export function userCommand(program: Command): void {
  const user = program.command("user");
  const name = ["<name>", "name of the user", idArgument] as const;
  user
    .command("add")
    .description("add a user; the password is read from a prompt or stdin")
    .argument(...name)
    .addOption(roleOption(userRoles).makeOptionMandatory())
    .addOption(queuePatternsOption())
    .action(action(addUser));
  user.command("ls", { isDefault: true }).description("list the users").action(action(listUsers));
  user
    .command("passwd")
    .description("set a user's password, from a prompt or stdin; his sessions end")
    .argument(...name)
    .action(action(setPassword));
  user
    .command("role")
    .description("change a user's role and queues; without --queues he sees all queues")
    .argument(...name)
    .addOption(roleOption(userRoles).makeOptionMandatory())
    .addOption(queuePatternsOption())
    .action(action(setRole));
  user
    .command("rm")
    .description("remove a user, with his sessions; his tasks stay")
    .argument(...name)
    .action(action(removeUser));
}

async function addUser(context: Context, name: string, { role, queues }: Scope & { role: Role }): Promise<undefined> {
  const password = await readPassword(`Password of ${name}: `);
  const client = await context.client();
  const { signal } = context;
  const { isOpen } = await client.people.session({ signal });
  const user = await client.people.addUser(
    { name, role, password, ...(queues !== undefined && { queues }) },
    { signal },
  );
  if (context.output.isJson) context.output.document(user);
  else context.output.line(`${name} is added (${role}).`);
  if (isOpen)
    context.output.note(
      "From now on every request needs a credential: sign in with `outlast login`, and give workers a token with `outlast token add --role worker`.",
    );
}

async function listUsers(context: Context): Promise<undefined> {
  const client = await context.client();
  const users = await client.people.users({ signal: context.signal });
  const { output } = context;
  if (output.isJson) return output.document({ users }) as undefined;
  if (users.length === 0)
    return output.note("There are no users. `outlast user add NAME --role admin` adds one.") as undefined;
  output.table(columns, users);
}

async function setPassword(context: Context, name: string): Promise<undefined> {
  const password = await readPassword(`New password of ${name}: `);
  const client = await context.client();
  await client.people.changeUser(name, { password }, { signal: context.signal });
  tell(context, name, "has a new password");
}

async function setRole(context: Context, name: string, { role, queues }: Scope & { role: Role }): Promise<undefined> {
  const client = await context.client();
  await client.people.changeUser(name, { role, queues: queues ?? null }, { signal: context.signal });
  tell(context, name, `is ${role} now`);
}

async function removeUser(context: Context, name: string): Promise<undefined> {
  const client = await context.client();
  await client.people.removeUser(name, { signal: context.signal });
  tell(context, name, "is removed");
}

function tell({ output }: Context, name: string, what: string): void {
  if (output.isJson) output.document({ name });
  else output.line(`${name} ${what}.`);
}

const columns: readonly Column<UserView>[] = [
  { title: "USER", text: ({ name }) => name, isElastic: true },
  { title: "ROLE", text: ({ role }) => role },
  { title: "QUEUES", text: ({ queues }) => queues?.join(" ") ?? "all" },
  { title: "ADDED", text: ({ createdAt }) => formatInstant(createdAt) },
  { title: "BY", text: ({ createdBy }) => createdBy },
];
