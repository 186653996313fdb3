/** `report.html`: one file that needs nothing else, with the verdict, the figures, the timeline, every promise and every fault. */
import { existsSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { type Check, count, grouped, holds } from "../check.ts";
import { faultText } from "../faults.ts";
import type { Latency } from "../figures.ts";
import { introduction, isClean, mark, msText, problemsOf, type Report } from "../report.ts";
import { latencyStrip } from "./latencyStrip.ts";
import { style } from "./style.ts";
import { timelineOf } from "./timelineData.ts";
import { outcomes } from "./timelineShape.ts";

/** What the design asks for on a quiet machine, in ms (docs/reliability.md, 2). */
const leaderAimMs = 500;
const workerAimMs = 700;
/** More than anyone reads; all of them are in the ledger. */
const faultsShown = 1_000;

export function reportPage(report: Report): string {
  const { evidence, options } = report;
  const verdict = isClean(report) ? "Every promise was kept" : "Some promise was broken";
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>outlast chaos: ${verdict.toLowerCase()}</title>
<style>${style}</style>
<main class="${isClean(report) ? "clean" : "broken"}">
<header>
<p>outlast chaos, ${text(new Date(evidence.startedAt).toISOString().replace("T", " ").slice(0, 19))} UTC</p>
<h1>${isClean(report) ? "✓" : "✗"} ${verdict}</h1>
<p>${text(introduction(report))}</p>
</header>
${tiles(report)}
${report.options.mastersAt === null ? latencies(report) : ""}
${timeline()}
${promises(report.checks)}
${faults(report)}
<h2>Again</h2>
<p>The same tasks and the same faults: <code>${text(options.repeat)}</code>. Who leads when a fault falls, and how far a task is, differs each time.</p>
</main>
<script type="application/json" id="timeline-data">${json(timelineOf(evidence))}</script>
<script type="module">
${browserScript()}
</script>
</html>
`;
}

/** What runs in the browser: built in a package, the source in a checkout. */
function browserScript(): string {
  const built = new URL("browser/timeline.js", import.meta.url);
  if (existsSync(built)) return readFileSync(built, "utf8");
  const source = readFileSync(new URL("browser/timeline.ts", import.meta.url), "utf8");
  // What Node says about this function is true, and nobody's business at the end of a run: only a checkout comes here.
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Any text, as it may stand in HTML. */
function text(value: string): string {
  const names: { readonly [character: string]: string } = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return value.replace(/[&<>"]/g, (character) => names[character] ?? character);
}

function json(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

function tiles({ figures, checks, evidence, options }: Report): string {
  const problems = (promise: string) => checks.find((check) => check.promise === promise)?.problems.length ?? 0;
  const submits = new Set(evidence.clients.flatMap((line) => (line.kind === "submit-ok" ? line.ids : []))).size;
  const orphans = evidence.orphans.whileIdle.length + evidence.orphans.afterEnd.length;
  const rows: readonly (readonly [string, string, boolean])[] = [
    [
      grouped(problems("No acknowledged task was lost")),
      `lost, of ${grouped(submits)} acknowledged`,
      problems("No acknowledged task was lost") > 0,
    ],
    [
      grouped(problems("No task was committed twice")),
      `committed twice, of ${grouped(figures.tasks.success ?? 0)}`,
      problems("No task was committed twice") > 0,
    ],
    [evidence.orphans.isKnown ? grouped(orphans) : "?", "orphan processes", orphans > 0],
    [grouped(figures.leaderKills), `leaders killed, of ${count(figures.masterKills, "master")}`, false],
    [grouped(figures.workerKills), "workers killed", false],
    [grouped(figures.killedAttempts), `attempts cut off, of ${grouped(figures.attempts)}`, false],
    [grouped(figures.epochs), figures.epochs === 1 ? "epoch" : "epochs", false],
  ];
  const tile = ([value, words, isBad]: (typeof rows)[number]) =>
    `<div class="tile${isBad ? " bad" : ""}"><b>${value}</b><span>${text(words)}</span></div>`;
  // What was not looked at has no number.
  const shown = options.mastersAt === null ? rows : rows.slice(0, 1);
  return `<div class="tiles">${shown.map(tile).join("")}</div>`;
}

function latencies({ figures }: Report): string {
  return `<div class="pair">
${latencyPanel("From SIGKILL of the leader until the next assignment runs", figures.leaderToStart, leaderAimMs, electionText(figures.leaderToLeader))}
${latencyPanel("From SIGKILL of a worker until the next attempt runs", figures.workerToStart, workerAimMs)}
</div>`;
}

function electionText({ every, undisturbed }: Latency): string {
  const shown = undisturbed.all.length > 0 ? undisturbed : every;
  return shown.all.length === 0
    ? ""
    : ` The next leader was there after p50 ${msText(shown.p50)}, p99 ${msText(shown.p99)}.`;
}

function latencyPanel(title: string, { every, undisturbed }: Latency, aimMs: number, more = ""): string {
  const isAlone = undisturbed.all.length > 0;
  const shown = isAlone ? undisturbed : every;
  const where = isAlone ? "without other faults at the time" : "while there were other faults, too";
  const figuresText =
    shown.all.length === 0
      ? "No such kill in this run"
      : `p50 <b>${msText(shown.p50)}</b> · p99 <b>${msText(shown.p99)}</b> · max <b>${msText(shown.max)}</b>, ${grouped(shown.all.length)} of ${grouped(every.all.length)}: ${where}`;
  return `<section class="panel"><h3>${text(title)}</h3><p>${figuresText}.${text(more)}</p>${latencyStrip(shown.all, aimMs)}</section>`;
}

function timeline(): string {
  const key = (colour: string, words: string) =>
    `<span><i style="background:var(--${colour})"></i>${text(words)}</span>`;
  const sign = (character: string, words: string) => `<span><em>${character}</em>${text(words)}</span>`;
  const words: { readonly [outcome: string]: string } = {
    success: "attempt that counted",
    failed: "failed by itself",
    "cut off": "cut off with its worker",
    "ended late": "came too late to count",
    aborted: "cancelled or timed out",
  };
  return `<h2>What happened</h2>
<section class="panel">
<div class="bar"><div class="keys">
${outcomes.map((outcome) => key(`outcome-${outcome.replaceAll(" ", "-")}`, words[outcome] ?? outcome)).join("")}
${key("term-0", "leads, each epoch in its colour")}${key("pause", "stopped")}${key("cut", "link cut, mute or deaf; or unplugged")}${key("slow", "link slow or dripping")}
${sign("✕", "SIGKILL")}${sign("■", "SIGTERM")}${sign("‖", "SIGSTOP")}${sign("•", "SIGKILL of a task")}${sign("○", "unplugged")}
</div>
<div><button data-look="in" title="closer">+</button> <button data-look="out" title="further">−</button> <button data-look="all">all</button></div></div>
<div><canvas id="overview"></canvas></div>
<div class="stage"><canvas id="timeline" tabindex="0" aria-label="Timeline: one lane for each process. The table of faults below tells the same in words."></canvas><div id="tip" hidden></div></div>
<p class="hint">Drag to move, double-click or Ctrl + wheel to look closer, point at anything to learn what it is.</p>
</section>`;
}

function promises(checks: readonly Check[]): string {
  const row = (check: Check) => {
    const state = holds(check) ? (check.cases === 0 ? "untested" : "kept") : "broken";
    const problems = holds(check)
      ? ""
      : `<ul class="problems">${problemsOf(check)
          .map((problem) => `<li>${text(problem)}</li>`)
          .join("")}</ul>`;
    const cells = `<td class="number">${grouped(check.cases)}</td><td>${text(check.seen)}</td><td class="id">${check.invariant}</td>`;
    const below = problems === "" ? "" : `<tr><td></td><td colspan="4">${problems}</td></tr>`;
    return `<tr class="${state}"><td class="state">${mark(check)}</td><td>${text(check.promise)}</td>${cells}</tr>${below}`;
  };
  return `<h2>Every promise, and how often it was tested</h2>
<section class="panel scroll"><table>
<thead><tr><th></th><th>promise</th><th class="number">cases</th><th>seen</th><th>invariant</th></tr></thead>
<tbody>${checks.map(row).join("\n")}</tbody></table></section>`;
}

function faults({ evidence }: Report): string {
  const fallen = evidence.strikes.filter(({ hit }) => hit.length > 0);
  const rows = fallen.slice(0, faultsShown).map((strike) => {
    const atMs = strike.startedAt - evidence.startedAt;
    return `<tr><td><button data-at="${atMs}">${(atMs / 1000).toFixed(1)} s</button></td><td>${text(faultText(strike, strike.hit))}</td></tr>`;
  });
  const more =
    fallen.length > faultsShown
      ? `<p class="hint">The first ${grouped(faultsShown)} of ${grouped(fallen.length)}.</p>`
      : "";
  return `<h2>Every fault</h2>
<section class="panel"><details><summary>${count(fallen.length, "fault")}, in order</summary><table><tbody>${rows.join("\n")}</tbody></table>${more}</details></section>`;
}
