/** Containers as a place for the processes of a cluster: started by the scripts in `deploy/`, killed through the engine. */
import { join } from "node:path";
import type { ClusterHost, ProcessSettings } from "../cluster/clusterHost.ts";
import type { Life } from "../cluster/lives.ts";
import { deployFolder, type Engine } from "./engine.ts";

export class ContainerHost implements ClusterHost {
  readonly environment: { readonly [name: string]: string };
  readonly #engine: Engine;

  constructor(engine: Engine, token: string) {
    this.#engine = engine;
    this.environment = { ...engine.environment, OUTLAST_TOKEN: token };
  }

  command(process: string, role: Life["role"], { port, capacity, masters }: ProcessSettings): readonly string[] {
    const shared = ["--name", process, "--attach"];
    if (role === "master") {
      const own = ["--publish", String(port), "--", "--log-format", "json"];
      return [join(deployFolder, "start-master"), ...shared, ...own];
    }
    const own = ["--masters", masters.join(","), "--capacity", String(capacity)];
    return [join(deployFolder, "start-worker"), ...shared, ...own, "--", "--log-format", "json"];
  }

  async signal(process: string, signal: "SIGKILL" | "SIGTERM"): Promise<boolean> {
    const { code } = await this.#engine.try("kill", "--signal", signal, this.#engine.nameOf(process));
    return code === 0;
  }

  async endedAt(process: string): Promise<number | null> {
    const format = "{{json .State.FinishedAt}}";
    const { code, stdout } = await this.#engine.try(
      "container",
      "inspect",
      "--format",
      format,
      this.#engine.nameOf(process),
    );
    const at = code === 0 ? Date.parse(JSON.parse(stdout) as string) : Number.NaN;
    return Number.isNaN(at) ? null : at;
  }

  advertisedUrlOf(master: string): string {
    return `http://${master}:7070`;
  }
}
