/** Runs commands of podman or docker, and the scripts in `deploy/` that start single containers. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { LocalFailure } from "../../cli/failure.ts";

const outputBytesMax = 64 * 1024 * 1024;

/** The folder with the scripts for containers. */
export const deployFolder = fileURLToPath(new URL("../../../deploy/", import.meta.url));

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Engine {
  /** `podman` or `docker`. */
  readonly program: string;
  /** What the names of containers, networks and volumes begin with. */
  readonly prefix: string;
  /** The environment in which the scripts run. */
  readonly environment: { readonly [name: string]: string };

  constructor(program: string, prefix: string, environment: { readonly [name: string]: string }) {
    this.program = program;
    this.prefix = prefix;
    this.environment = environment;
  }

  /** As `deploy/engine.sh` chooses, from the environment and from what is installed. @throws LocalFailure */
  static find(environment: NodeJS.ProcessEnv): Engine {
    const program =
      environment["OUTLAST_ENGINE"] ?? ["podman", "docker"].find((name) => isInstalled(name, environment));
    if (program === undefined) throw new LocalFailure("Neither podman nor docker is installed.");
    const settings = Object.entries(environment).filter(([name]) => name.startsWith("OUTLAST_"));
    return new Engine(
      program,
      environment["OUTLAST_PREFIX"] ?? "outlast",
      Object.fromEntries(settings.map(([name, value]) => [name, value ?? ""])),
    );
  }

  get isPodman(): boolean {
    return basename(this.program).startsWith("podman");
  }

  /** The name of the container of a process. */
  nameOf(process: string): string {
    return `${this.prefix}-${process}`;
  }

  /** Runs a command of the engine, whatever its exit code. */
  try(...words: readonly string[]): Promise<Outcome> {
    return runCommand(this.program, words, this.environment);
  }

  /** Runs a command of the engine. @throws LocalFailure if its exit code is not 0 */
  async run(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(...words);
    if (code !== 0) throw new LocalFailure(`${this.program} ${words.join(" ")} failed: ${stderr.trim()}`);
    return stdout;
  }

  /** Runs a script of `deploy/`. @throws LocalFailure if its exit code is not 0 */
  async script(name: string, ...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await runCommand(join(deployFolder, name), words, this.environment);
    if (code !== 0) throw new LocalFailure(`deploy/${name} failed: ${stderr.trim()}`);
    return stdout;
  }

  /** Runs a program in the container of a process. */
  inside(process: string, ...words: readonly string[]): Promise<Outcome> {
    return this.try("exec", this.nameOf(process), ...words);
  }
}

/** The secret of the cluster, as `deploy/setup` has made it. @throws LocalFailure if there is none */
export function readToken(environment: NodeJS.ProcessEnv): string {
  const given = environment["OUTLAST_TOKEN"];
  if (given !== undefined && given !== "") return given;
  const file = join(deployFolder, "token");
  if (!existsSync(file)) throw new LocalFailure("There is no token for the cluster.", "Run deploy/setup first.");
  return readFileSync(file, "utf8").trim();
}

function runCommand(
  program: string,
  words: readonly string[],
  environment: { readonly [name: string]: string },
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      words,
      { env: { ...process.env, ...environment }, maxBuffer: outputBytesMax },
      (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr });
        else if (typeof error.code === "number") resolve({ code: error.code, stdout, stderr });
        else reject(new LocalFailure(`${program} cannot be run: ${error.message}`));
      },
    );
  });
}

function isInstalled(program: string, environment: NodeJS.ProcessEnv): boolean {
  return (environment["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}
