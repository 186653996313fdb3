/** `/metrics`: the text format and the conventions of Prometheus, and figures that follow what is committed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { lintMetrics } from "../../proof/metrics/lint.ts";
import { type ApiServer, createApi } from "../http/server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const nap = { queue: "default", kind: "sleep" };

let master: FakeMasterApi;
let api: ApiServer;
beforeEach(() => {
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null });
});
afterEach(() => api.close());

async function metrics(): Promise<string> {
  return (await api.http.inject({ url: "/metrics", headers: { host: "localhost" } })).body;
}

/** Everything has a value. */
function happen(): void {
  master.observer?.committed(3);
  master.observer?.began(nap, 20);
  master.observer?.attemptEnded(nap, "killed", 1500);
  master.observer?.began(nap, 0);
  master.observer?.attemptEnded(nap, "success", 2000);
  master.observer?.taskEnded(nap, "success");
}

describe("metrics", () => {
  test("keep the format and the conventions", async () => {
    happen();
    expect(lintMetrics(await metrics())).toEqual([]);
  });

  test("count commits, waits, attempts and ends", async () => {
    happen();
    const text = await metrics();
    for (const line of [
      "outlast_commit_duration_seconds_count 1",
      'outlast_commit_duration_seconds_bucket{le="0.005"} 1',
      'outlast_task_wait_seconds_count{queue="default"} 2',
      'outlast_task_wait_seconds_sum{queue="default"} 0.02',
      'outlast_attempt_duration_seconds_sum{kind="sleep"} 3.5',
      'outlast_attempts_ended_total{queue="default",kind="sleep",state="killed"} 1',
      'outlast_tasks_ended_total{queue="default",kind="sleep",state="success"} 1',
      'outlast_slots{state="free"} 0',
      "outlast_oldest_wait_seconds 0",
      'outlast_waiting_tasks{reason="key"} 3',
      'outlast_waiting_tasks{reason="blocked"} 0',
    ])
      expect(text).toContain(`${line}\n`);
    expect(text).toMatch(/outlast_build_info\{version="[^"]+",node="[^"]+"\} 1\n/);
  });

  test("have a bounded number of labels, whatever clients call their queues and kinds", async () => {
    for (let index = 0; index < 10 * limits.metricLabelsMax; index += 1) {
      master.observer?.taskEnded({ queue: `q${index}`, kind: `k${index}` }, "failed");
    }
    const lines = (await metrics()).split("\n").filter((line) => line.startsWith("outlast_tasks_ended_total{"));
    expect(lines).toHaveLength(limits.metricLabelsMax + 1);
    expect(lines.at(-1)).toContain('queue="other",kind="other"');
  });

  test("are documented by name", async () => {
    happen();
    const page = readFileSync(join(import.meta.dirname, "../../../docs/operating.md"), "utf8");
    const names = [...(await metrics()).matchAll(/^# TYPE (outlast_\w+)/gm)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(15);
    expect(names.filter((name) => !page.includes(`\`${name}`))).toEqual([]);
  });
});

describe("the check of metrics", () => {
  test.each([
    ["a line that is none", "# HELP a_b x\n# TYPE a_b gauge\na_b\n"],
    ["no help", "# TYPE a_b gauge\na_b 1\n"],
    ["no type", "a_b 1\n"],
    ["a counter without _total", "# HELP a_b x\n# TYPE a_b counter\na_b 1\n"],
    ["a gauge with _total", "# HELP a_total x\n# TYPE a_total gauge\na_total 1\n"],
    ["milliseconds", "# HELP a_milliseconds x\n# TYPE a_milliseconds gauge\na_milliseconds 1\n"],
    ["camel case", "# HELP aB x\n# TYPE aB gauge\naB 1\n"],
    ["a quantile of a gauge", '# HELP a_b x\n# TYPE a_b gauge\na_b{quantile="0.5"} 1\n'],
    ["a sample twice", '# HELP a_b x\n# TYPE a_b gauge\na_b{c="1"} 1\na_b{c="1"} 2\n'],
    ["a broken label", "# HELP a_b x\n# TYPE a_b gauge\na_b{c=1} 1\n"],
    [
      "buckets that fall",
      '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    ],
    ["no last bucket", '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 2\na_sum 1\na_count 2\n'],
  ])("finds %s", (_what, text) => {
    expect(lintMetrics(text)).not.toEqual([]);
  });
});
