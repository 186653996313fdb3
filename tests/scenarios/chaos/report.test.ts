/** The report of a run: what it says for people and programs, and that its page is whole and safe whatever stands in it. */
import { describe, expect, test } from "vitest";
import { plain } from "../../../src/cli/colour.ts";
import { Output } from "../../../src/cli/output.ts";
import { quantile } from "../../../src/model/quantile.ts";
import { checkAll } from "../../../src/proof/chaos/checks.ts";
import { defaultWeights } from "../../../src/proof/chaos/faults.ts";
import { figuresOf } from "../../../src/proof/chaos/figures.ts";
import type { ChaosOptions } from "../../../src/proof/chaos/options.ts";
import { reportPage } from "../../../src/proof/chaos/page/page.ts";
import { timelineOf } from "../../../src/proof/chaos/page/timelineData.ts";
import { outcomes } from "../../../src/proof/chaos/page/timelineShape.ts";
import { type Report, reportBody, reportLines, reportMarkdown } from "../../../src/proof/chaos/report.ts";
import { Story } from "./story.ts";

function report(story = new Story(), more: Partial<ChaosOptions> = {}): Report {
  const told = story.evidence();
  const evidence = more.mastersAt === undefined ? told : { ...told, entries: null };
  const options: ChaosOptions = {
    seed: 5,
    durationMs: 1000,
    store: null,
    mastersAt: null,
    token: null,
    masters: 2,
    workers: 2,
    capacity: 4,
    clients: 1,
    rate: 2,
    weights: defaultWeights,
    isKillsOnly: false,
    directory: "chaos-run",
    repeat: "outlast chaos --seed 5",
    output: new Output({ json: true, color: false }),
    signal: new AbortController().signal,
    ...more,
  };
  return { options, evidence, checks: checkAll(evidence), figures: figuresOf(evidence) };
}

function broken(): Report {
  const story = new Story();
  story.outboxes.set("worker-2", 1);
  return report(story);
}

describe("in words", () => {
  test("it tells the verdict, the figures and every promise", () => {
    const text = reportMarkdown(report());
    expect(text).toContain("Every promise was kept.");
    expect(text).toContain("| ✓ | I2 | No task was committed twice | 2 | 2 successes |");
    expect(text).toContain("| – | I12 | Asking twice makes one task | 0 |");
    expect(text).toContain("p50 110 ms, p99 110 ms, max 110 ms (1)");
    expect(reportLines(report(), plain, null)).toContain("Every promise was kept.");
  });

  test("it tells what is broken", () => {
    expect(reportMarkdown(broken())).toContain("## Broken: Every result found its master\n\n- The outbox of worker-2");
    expect(reportLines(broken(), plain, null).join("\n")).toMatch(/Some promise was broken:\n {2}✗ The outbox/);
    expect(reportBody(broken())).toMatchObject({ isClean: false, seed: 5, figures: { leaderKills: 1 } });
  });

  test("of masters of somebody else's it tells only what clients can see", () => {
    const text = reportMarkdown(report(new Story(), { mastersAt: ["http://there:1"] }));
    expect(text).toContain("http://there:1, which nobody hit");
    expect(text).not.toContain("SIGKILL");
  });
});

describe("the page", () => {
  test("needs nothing else, and holds the verdict, the promises and the faults", () => {
    const page = reportPage(report());
    expect(page).toContain("<h1>✓ Every promise was kept</h1>");
    expect(page).toContain("SIGKILL worker-1, back after 100ms");
    expect(page).not.toMatch(/<link|\ssrc=|@import|url\(|fetch\(|import .* from/);
    expect(reportPage(broken())).toContain("<h1>✗ Some promise was broken</h1>");
  });

  test("shows text as text, whatever it says", () => {
    const story = new Story();
    story.surprises.push("</script><img src=x onerror=alert(1)>");
    story.facts[0] = { ...story.facts[0]!, task: "</script><b>" };
    const page = reportPage(report(story));
    expect(page).toContain("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;");
    expect(page).not.toContain("<img");
    expect(page.match(/<\/script>/g)).toHaveLength(2);
  });
});

describe("the timeline", () => {
  const data = timelineOf(new Story().evidence());
  const lane = (name: string) => data.lanes.find((each) => each.name === name)!;

  test("has a lane for each process, masters before workers before clients", () => {
    expect(data.lanes.map((each) => each.name)).toEqual(["master-1", "master-2", "worker-1", "worker-2", "client-1"]);
    expect(lane("worker-1").lives).toEqual([[0, 300, 1]]);
    expect(lane("master-2").lives).toEqual([[0, 2000, 0]]);
  });

  test("shows who led when", () => {
    expect(lane("master-1").terms).toEqual([[60, 330, 1]]);
    expect(lane("master-2").terms).toEqual([[420, 2000, 2]]);
  });

  test("shows what became of each attempt, and faults on whom they hit", () => {
    const told = lane("worker-1").attempts.map(([from, to, row, outcome]) => [from, to, row, outcomes[outcome]]);
    expect(told).toEqual([[105, 300, 0, "cut off"]]);
    expect(lane("worker-2").attempts.map(([, , , outcome]) => outcomes[outcome])).toEqual([
      "failed",
      "success",
      "success",
    ]);
    expect(lane("worker-1").marks).toEqual([[300, "kill", "SIGKILL worker-1, back after 100ms"]]);
  });

  test("counts what was acknowledged", () => {
    expect(data.flow.counts.reduce((sum, count) => sum + count, 0)).toBe(2);
  });
});

test("a quantile is the smallest time that the share does not exceed", () => {
  const times = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([quantile(times, 0.5), quantile(times, 0.99), quantile([7], 0.99), quantile([], 0.5)]).toEqual([
    50,
    99,
    7,
    null,
  ]);
});
