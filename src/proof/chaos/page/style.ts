/** How the report's page looks, by day and by night. */

export const style = `
:root {
  color-scheme: light dark;
  --ink: #1c2530; --dim: #66707c; --line: #e4e8ec; --paper: #f6f7f9; --panel: #ffffff;
  --good: #0a7d55; --good-soft: #e2f4ec; --bad: #c02c2c; --bad-soft: #fbe6e4;
  --life: #eceff3; --storm: #fff8ea; --flow: #9fb8d6; --killed: #d03a2f; --mark: #7a4fb3;
  --pause: rgba(122, 79, 179, 0.32); --cut: #d8772a; --slow: #e3b341;
  --outcome-success: #2f9e77; --outcome-failed: #e09b1a; --outcome-cut-off: #d8493d;
  --outcome-ended-late: #b565c2; --outcome-aborted: #9aa4af;
  --term-0: #2f6fb5; --term-1: #4c59c0; --term-2: #1f8796; --term-3: #6d51b8; --term-4: #3b7d3f; --term-5: #8a5a2b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6eaef; --dim: #97a3b0; --line: #2b333d; --paper: #12161b; --panel: #1a2027;
    --good: #4fd1a1; --good-soft: #173329; --bad: #ff8577; --bad-soft: #3d201e;
    --life: #27303a; --storm: #211f1a; --flow: #4d6788; --killed: #ff6b5e; --mark: #c39bf0;
    --pause: rgba(170, 130, 230, 0.38); --cut: #ee9347; --slow: #e8c05a;
    --outcome-success: #3fb98c; --outcome-failed: #e9ae3e; --outcome-cut-off: #ef6a5e;
    --outcome-ended-late: #cc85d8; --outcome-aborted: #76818d;
    --term-0: #3f7cc4; --term-1: #5f6ad0; --term-2: #2a93a3; --term-3: #7d63c6; --term-4: #48904d; --term-5: #9c6a37;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums;
}
main { max-width: 1280px; margin: 0 auto; padding: 40px 28px 80px; }
header p { margin: 0; color: var(--dim); }
h1 { font-size: 32px; line-height: 1.2; margin: 4px 0 8px; letter-spacing: -0.01em; text-wrap: balance; }
h2 { font-size: 19px; margin: 44px 0 12px; }
h3 { font-size: 15px; margin: 0; }
.clean h1 { color: var(--good); }
.broken h1 { color: var(--bad); }
code { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(148px, 1fr)); gap: 12px; margin: 28px 0 12px; }
.tile, .panel { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.tile b { display: block; font-size: 26px; line-height: 1.2; font-weight: 650; }
.tile span { color: var(--dim); font-size: 13px; }
.tile.bad b { color: var(--bad); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(380px, 1fr)); gap: 12px; }
.pair p { margin: 2px 0 0; color: var(--dim); font-size: 13px; }
.pair b { font-weight: 600; color: var(--ink); }
svg.strip { display: block; width: 100%; height: 62px; margin-top: 10px; overflow: visible; }
svg.strip text { font-size: 10px; fill: var(--dim); }
svg.strip .dot { fill: var(--term-0); opacity: 0.5; }
svg.strip .grid { stroke: var(--line); }
svg.strip .aim { stroke: var(--good); stroke-dasharray: 3 3; }
svg.strip .aim-text { fill: var(--good); }
.bar { display: flex; flex-wrap: wrap; gap: 8px 18px; align-items: center; margin-bottom: 10px; }
.bar .keys { display: flex; flex-wrap: wrap; gap: 4px 14px; color: var(--dim); font-size: 12.5px; flex: 1; }
.keys i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 5px; vertical-align: -1px; }
.keys em { font-style: normal; font-weight: 700; margin-right: 5px; }
button {
  font: inherit; font-size: 13px; color: var(--ink); background: var(--paper); border: 1px solid var(--line);
  border-radius: 6px; padding: 3px 10px; cursor: pointer;
}
button:hover { border-color: var(--dim); }
.stage { position: relative; }
canvas { display: block; width: 100%; }
#timeline { cursor: grab; touch-action: pan-y; outline-offset: 4px; }
#timeline:active { cursor: grabbing; }
#overview { cursor: pointer; margin-bottom: 6px; touch-action: none; }
#tip {
  position: absolute; top: 0; left: 0; z-index: 2; pointer-events: none; max-width: 420px; padding: 6px 10px;
  border-radius: 6px; background: var(--ink); color: var(--paper); font-size: 12.5px; line-height: 1.4; overflow-wrap: anywhere;
}
#tip b { display: block; font-weight: 600; }
#tip span { opacity: 0.75; }
.hint { color: var(--dim); font-size: 12.5px; margin: 8px 0 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; font-weight: 600; color: var(--dim); font-size: 12.5px; }
th, td { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.id { color: var(--dim); white-space: nowrap; }
td.state { width: 26px; font-weight: 700; color: var(--good); }
tr.broken td.state { color: var(--bad); }
tr.untested td { color: var(--dim); }
tr:last-child td { border-bottom: 0; }
ul.problems { margin: 6px 0 2px; padding: 8px 12px 8px 28px; background: var(--bad-soft); border-radius: 6px; }
summary { cursor: pointer; }
details td:first-child { white-space: nowrap; }
td button { border: 0; background: none; padding: 0; color: inherit; text-decoration: underline dotted; }
`;
