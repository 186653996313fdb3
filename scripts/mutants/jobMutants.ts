/** Bugs in MapReduce jobs: which files reduces read, how output is promoted, what follows from lost files, when files go. */
import type { Mutant } from "./mutant.ts";

const jobRun = "src/mapreduce/coordinator/jobRun.ts";
const reduceWork = "src/mapreduce/coordinator/reduceWork.ts";
const childRuns = "src/mapreduce/coordinator/childRuns.ts";
const promote = "src/mapreduce/coordinator/promote.ts";

export const jobMutants: readonly Mutant[] = [
  {
    name: "lets maps and reduces wait in the default queue",
    patches: [
      {
        file: "src/core/scheduler/attemptItems.ts",
        search: "({ ...inheritedFrom(task), ...submission })",
        replace: '({ ...inheritedFrom(task), ...submission, queue: submission.queue ?? "default" })',
      },
    ],
  },
  {
    name: "reads the first file that any attempt of a map has written",
    patches: [
      {
        file: "src/mapreduce/coordinator/mapWork.ts",
        search:
          "    return { map: index, ...(await file.end({ isRemade: true })), ...figures, pairs, runs, ...withSkipped };",
        // Whether it was committed or not. No import: while one is awaited, no virtual time passes.
        replace:
          "    const ended = await file.end();\n    const firstFiles = ((globalThis as any).firstFiles ??= new Map());\n    const key = `${settings.id} ${index}`;\n    if (!firstFiles.has(key)) firstFiles.set(key, ended);\n    return { map: index, ...ended, ...figures, pairs, runs, ...withSkipped };",
      },
      {
        file: reduceWork,
        search: "        shuffledBytes += await fold(table, store, pinned, partition, parts);",
        replace:
          "        const first = { ...pinned, ...(globalThis as any).firstFiles?.get(`${settings.id} ${pinned.map}`) };\n        shuffledBytes += await fold(table, store, first, partition, parts);",
      },
    ],
  },
  {
    name: "reduces without the maps whose output is lost",
    patches: [{ file: reduceWork, search: "        lost.push(pinned.map);\n", replace: "" }],
  },
  {
    name: "counts lost input of a reduce as its failure",
    patches: [
      {
        file: reduceWork,
        search: "        if (!(error instanceof DamagedSegment)) throw error;",
        replace: "        throw error;",
      },
    ],
  },
  {
    name: "does not check the blocks of a segment",
    patches: [
      {
        file: "src/mapreduce/engine/segment.ts",
        search: "    if (crc32(stored) !== window",
        replace: "    if (crc32(stored) < 0 && 0 !== window",
      },
    ],
  },
  {
    name: "forgets the parts of the round before when maps run again",
    patches: [
      {
        file: jobRun,
        search: "      mapsAgain += lost.size;\n",
        replace: "      mapsAgain += lost.size;\n      reduced.clear();\n",
      },
      {
        file: jobRun,
        search: ".filter((partition) => !reduced.has(partition))",
        replace: ".filter((partition) => round === 1 || partition > 0)",
      },
    ],
  },
  {
    name: "keeps the lost file of a map that ran again in its list",
    patches: [
      {
        file: jobRun,
        search: "        maps[manifest.map] = manifest;",
        replace: "        maps[manifest.map] ??= manifest;",
      },
    ],
  },
  {
    name: "gives every reduce the list of files from before the loss",
    patches: [
      {
        file: jobRun,
        search: "reduceTask({ settings, partition, manifests }",
        replace: "reduceTask({ settings, partition, manifests: (first ??= manifests) }",
      },
      { file: jobRun, search: "    let mapsAgain = 0;\n", replace: "    let mapsAgain = 0;\n    let first;\n" },
    ],
  },
  {
    name: "writes the manifest of the output before its parts",
    patches: [
      {
        file: promote,
        search: "  for (const [file, name] of named) {",
        replace:
          '  await promotion.replace(await writeText(store, "job/manifest", JSON.stringify(summary)), manifestName);\n  for (const [file, name] of named) {',
      },
    ],
  },
  {
    name: "says that the output is whole before it is",
    patches: [
      {
        file: promote,
        search: "  const promotion = await store.promotion(attempt);\n",
        replace:
          '  const promotion = await store.promotion(attempt);\n  if (!overwrite) await promotion.replace(await writeText(store, "job/success", ""), successName);\n',
      },
    ],
  },
  {
    name: "leaves parts of an earlier output between its own",
    patches: [
      {
        file: promote,
        search: "    await promotion.retract(name);",
        replace: '    if (name < "") await promotion.retract(name);',
      },
    ],
  },
  {
    name: "leaves the skipped records of an earlier output beside its own",
    patches: [
      {
        file: promote,
        search: "    if (skippedFile === null) await promotion.retract(skippedName);\n",
        replace: "",
      },
    ],
  },
  {
    name: "does not remember that the output of a job was promoted",
    patches: [
      {
        file: jobRun,
        search: '    return ctx.step("commit", async () => {',
        replace: "    return ctx.step(`commit-${ctx.attempt}`, async () => {",
      },
    ],
  },
  {
    name: "removes the files of a job before its outcome is remembered",
    patches: [
      {
        file: jobRun,
        search:
          "      await promote(store, { attempt: ctx.attempt, format, overwrite, parts: reduced, skippedFile, summary });\n",
        replace:
          "      await promote(store, { attempt: ctx.attempt, format, overwrite, parts: reduced, skippedFile, summary });\n      await store.remove();\n",
      },
    ],
  },
  {
    name: "lets an attempt of a job that was given up remove the files of the next one",
    patches: [{ file: jobRun, search: '      await ctx.step("failed", () => null);\n', replace: "" }],
  },
  {
    name: "removes the files of a job whenever its attempt fails",
    patches: [
      {
        file: jobRun,
        search: "    if (isFinalError(error)) {",
        replace: "    if (isFinalError(error) || error !== null) {",
      },
      { file: jobRun, search: '      await ctx.step("failed", () => null);\n', replace: "" },
    ],
  },
  {
    name: "leaves the files of a job when it is over",
    patches: [
      {
        file: jobRun,
        search: '    await ctx.step("clean", () => store.remove());\n',
        replace: '    await ctx.step("clean", () => null);\n',
      },
    ],
  },
  {
    name: "leaves out a record although only one attempt of its map died",
    patches: [
      {
        file: childRuns,
        search: "poison: [...foundIn(suspects)] }",
        replace: "poison: suspects.filter((at) => at !== elsewhere) }",
      },
    ],
  },
  {
    name: "gives a map up for good after one death at a record, where none may be left out",
    patches: [
      {
        file: childRuns,
        search: "judged(error, suspect !== elsewhere && suspects.includes(suspect), settings)",
        replace: "judged(error, suspect !== elsewhere, settings)",
      },
    ],
  },
];
