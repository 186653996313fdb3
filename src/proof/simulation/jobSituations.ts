/** Finds in a finished history which situations of MapReduce jobs came up. */

import type { TaskId } from "../../model/ids.ts";
import { isFinal } from "../../model/task.ts";
import { jobs } from "../checkers/jobReading.ts";
import { deadlyWord } from "../checkers/jobs.ts";
import type { History } from "../checkers/ledger.ts";
import { eventsOf, specs } from "../checkers/reading.ts";
import type { Coverage } from "./coverage.ts";
import { harmlessRecordMessage } from "./jobRuns.ts";

export function noteJobs(coverage: Coverage, history: History): void {
  const all = [...jobs(history).values()];
  if (all.length === 0) return;
  noteBackups(coverage, history);
  noteHarmless(coverage, history);
  for (const { id, input, files, succeededOrder } of all) {
    if (succeededOrder !== null) {
      coverage.saw("a job of maps and reduces succeeded");
      if (input.output.overwrite === true) coverage.saw("a job replaced the output of another one");
      if (input.input.paths.some((path) => path.includes(deadlyWord)))
        coverage.saw("a record that no map survived was left out");
    }
    const born = specs(history).get(id)?.entry.order ?? 0;
    const markers = history.entries.filter(({ writes }) => writes.some(({ kind }) => kind === "marker"));
    if (markers.some(({ order }) => order > born && order < (succeededOrder ?? 0)))
      coverage.saw("a leader died while a job was under way");
    const maps = [...files.values()].filter(({ kind }) => kind === "map").map(({ number }) => number);
    if (new Set(maps).size < maps.length) coverage.saw("a map ran again because its output was lost");
    const isLate = ({ job, file }: { job: string; file: string }) =>
      job === id && /^(map|reduce)/.test(file) && !files.has(file);
    if (eventsOf(history, "job-file").some(isLate))
      coverage.saw("an attempt of a map or reduce that was given up wrote its file");
  }
}

function noteHarmless(coverage: Coverage, history: History): void {
  for (const write of history.entries.flatMap(({ writes }) => writes)) {
    if (write.kind !== "record" || write.collection !== "attempts") continue;
    if (write.value?.error?.message === harmlessRecordMessage)
      coverage.saw("an attempt died at a record that the next one survives");
  }
}

function noteBackups(coverage: Coverage, history: History): void {
  const open = new Set<TaskId>();
  for (const { writes } of history.entries) {
    if (open.size > 0 && writes.some(({ kind }) => kind === "marker")) coverage.saw("a leader died while a backup ran");
    for (const write of writes) {
      if (write.kind === "spec" && write.spec.backupOf !== undefined) {
        coverage.saw("a backup was started for a slow task");
        open.add(write.spec.id);
      }
      if (write.kind !== "status" || !isFinal(write.status.state)) continue;
      const { id, state, backup } = write.status;
      if (open.delete(id) && state === "cancelled") coverage.saw("a task ended before its backup");
      if (backup?.isWinner === true) coverage.saw("a task ended with the result of its backup");
    }
  }
}
