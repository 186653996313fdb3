/** `outlast login` and `outlast logout`: a session for the commands of this user on this machine. */
import type { Command } from "commander";
import { idArgument } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { readLogin, readPassword, removeLogin, writeLogin } from "../secrets.ts";

export function loginCommand(program: Command): void {
  program
    .command("login")
    .argument("<name>", "name of the user; the password is read from a prompt or stdin", idArgument)
    .action(action(login));
}

export function logoutCommand(program: Command): void {
  program.command("logout").action(action(logout));
}

async function login(context: Context, name: string): Promise<undefined> {
  const password = await readPassword(`Password of ${name}: `);
  const client = await context.client({ token: null });
  const { token, principal, expiresAt } = await client.people.signIn(name, password, { signal: context.signal });
  const path = writeLogin({ masters: context.options.masters, token });
  const { role, queues } = principal;
  if (context.output.isJson) context.output.document({ name, role, queues, expiresAt, file: path });
  else context.output.line(`Signed in as ${name} (${role}). The session is in ${path}.`);
}

async function logout(context: Context): Promise<undefined> {
  const token = readLogin(context.options.masters);
  removeLogin();
  if (token === null) return context.output.note("Nobody was signed in here.") as undefined;
  const client = await context.client({ token });
  await client.people.signOut({ signal: context.signal });
  if (context.output.isJson) context.output.document({ isSignedOut: true });
  else context.output.line("Signed out.");
}
