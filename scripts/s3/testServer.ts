/** An S3 server as a process of its own, for tests and trials: VersityGW on a folder, started on a free port, killed, started again. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { findFreePort } from "../../src/cli/freePort.ts";
import { TestServerProcess } from "../testServerProcess.ts";
import { installServer } from "./install.ts";

const startMsMax = 60_000;
const lookMs = 20;

export interface ServerOptions {
  /** Where it keeps its data; a temporary folder that goes with the server, if left out. */
  readonly folder?: string;
  readonly port?: number;
}

export class TestServer extends TestServerProcess {
  /** What a program needs in its environment to use it. */
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly #program: string;

  private constructor(program: string, port: number, folder: string | undefined) {
    super("outlast-s3-", folder);
    this.#program = program;
    this.port = port;
    this.env = {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "outlast-tests",
      AWS_SECRET_ACCESS_KEY: "a-secret-of-the-tests",
    };
  }

  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(await installServer(), options.port ?? (await findFreePort()), options.folder);
    await server.start();
    return server;
  }

  /** Starts it, again on the port that it had. Resolves once it takes connections. */
  async start(): Promise<void> {
    const [objects, metadata] = ["objects", "metadata"].map((name) => {
      const path = join(this.folder, name);
      mkdirSync(path, { recursive: true });
      return path;
    }) as [string, string];
    const { AWS_ACCESS_KEY_ID: access = "", AWS_SECRET_ACCESS_KEY: secret = "" } = this.env;
    const argv = [
      this.#program,
      "--port",
      `127.0.0.1:${this.port}`,
      "--quiet",
      "posix",
      "--sidecar",
      metadata,
      objects,
    ];
    // A runner of tests may end this process without a word, and leave out `stop` where all tests of a file are left out.
    const [command = "", ...args] = process.platform === "linux" ? ["setpriv", "--pdeathsig", "KILL", ...argv] : argv;
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ROOT_ACCESS_KEY: access, ROOT_SECRET_KEY: secret },
    });
    this.process = child;
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output = (output + text).slice(-10_000);
      });
    }
    const ended = once(child, "exit");
    ended.catch(() => undefined);
    const endsAt = performance.now() + startMsMax;
    while (!(await isListening(this.port))) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > endsAt) {
        throw new Error(`The server does not listen on port ${this.port}:\n${output}`);
      }
      await Promise.race([ended, setTimeout(lookMs)]);
    }
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = createConnection({ host: "127.0.0.1", port });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
