/** Secrets of commands: passwords from a prompt or stdin, tokens from files, and the session of `outlast login`. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { UsageError } from "./failure.ts";

/** A secret in a file, without the line's end. @throws UsageError */
export function readTokenFile(path: string): string {
  let token: string;
  try {
    token = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new UsageError(`The token file ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`, null);
  }
  if (token === "") throw new UsageError(`The token file ${path} is empty.`, null);
  if (/[^\x21-\x7e\x80-\xff]/.test(token))
    throw new UsageError(`The token file ${path} holds something else than one token.`, null);
  return token;
}

/** The file that systemd made of `LoadCredential=outlast-token:…`; null if there is none. */
export function systemdTokenFile(): string | null {
  const directory = process.env["CREDENTIALS_DIRECTORY"];
  if (directory === undefined) return null;
  const path = join(directory, "outlast-token");
  try {
    readFileSync(path);
    return path;
  } catch {
    return null;
  }
}

/** Never from arguments: other users can read those. */
export async function readPassword(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    const pieces: Buffer[] = [];
    for await (const piece of stdin as AsyncIterable<Buffer>) pieces.push(piece);
    const [line = ""] = Buffer.concat(pieces).toString("utf8").split(/\r?\n/);
    if (line === "") throw new UsageError("There is no password on stdin.", "Type it at the prompt, or pipe it in.");
    return line;
  }
  stderr.write(prompt);
  stdin.setRawMode(true);
  try {
    return await readHidden();
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}

function readHidden(): Promise<string> {
  const { stdin } = process;
  return new Promise((resolve, reject) => {
    let text = "";
    const onData = (bytes: Buffer) => {
      for (const character of bytes.toString("utf8")) {
        if (character === "\r" || character === "\n") return done(() => resolve(text));
        if (character === "\u0003" || character === "\u0004")
          return done(() => reject(new UsageError("No password was given.", null)));
        if (character === "\u007f" || character === "\b") text = text.slice(0, -1);
        else text += character;
      }
    };
    const done = (settle: () => void) => {
      stdin.off("data", onData);
      settle();
    };
    stdin.on("data", onData);
  });
}

interface Login {
  readonly masters: readonly string[];
  readonly token: string;
}

function loginFile(): string {
  const directory = process.env["XDG_CONFIG_HOME"] || join(homedir(), ".config");
  return join(directory, "outlast", "login.json");
}

/** The session of `outlast login` at one of these masters; null if there is none. */
export function readLogin(masters: readonly string[]): string | null {
  try {
    const login = JSON.parse(readFileSync(loginFile(), "utf8")) as Login;
    return login.masters.some((master) => masters.includes(master)) ? login.token : null;
  } catch {
    return null;
  }
}

/** Only this user can read it. */
export function writeLogin(login: Login): string {
  const path = loginFile();
  mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  writeFileSync(path, JSON.stringify(login), { mode: 0o600 });
  return path;
}

export function removeLogin(): void {
  rmSync(loginFile(), { force: true });
}
