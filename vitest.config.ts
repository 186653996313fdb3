/** Which tests belong to which project; `npm test` runs one stage per project. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Time limits are there to end what hangs; they say nothing about how fast a test should be on a busy machine. */
const minute = 60_000;
/**
 * Tests with real processes mostly wait, so two files run at a time even on two cores. With more of them at a time,
 * processes would be slow because of each other.
 */
const filesAtATime = 2;

/** Examples import the package by its name, as users do. */
const alias = [
  { find: /^outlast$/, replacement: fileURLToPath(new URL("./src/sdk/index.ts", import.meta.url)) },
  { find: /^outlast\/testing$/, replacement: fileURLToPath(new URL("./src/testing/index.ts", import.meta.url)) },
  { find: /^outlast\/mapreduce$/, replacement: fileURLToPath(new URL("./src/mapreduce/index.ts", import.meta.url)) },
];

const setupFiles = [fileURLToPath(new URL("./tests/patience.ts", import.meta.url))];

export default defineConfig({
  resolve: { alias },
  test: {
    coverage: { provider: "v8", include: ["src/**/*.ts"], exclude: ["src/**/*.test.ts", "src/proof/**"] },
    projects: [
      {
        test: {
          name: "unit",
          include: ["{src,web/src}/**/*.test.ts"],
          setupFiles,
          // Files share one copy of the modules: to load them for each file anew took more time than the tests themselves.
          isolate: false,
          testTimeout: minute,
        },
      },
      {
        test: {
          name: "contracts",
          setupFiles,
          include: ["tests/contracts/**/*.test.ts"],
          testTimeout: minute,
          hookTimeout: minute,
        },
      },
      { test: { name: "scenarios", setupFiles, include: ["tests/scenarios/**/*.test.ts"], testTimeout: minute } },
      { test: { name: "simulation", setupFiles, include: ["tests/simulation/**/*.test.ts"], testTimeout: 5 * minute } },
      {
        test: {
          name: "integration",
          setupFiles,
          include: ["tests/integration/**/*.test.ts"],
          testTimeout: minute,
          maxWorkers: filesAtATime,
        },
      },
      {
        test: {
          name: "e2e",
          setupFiles,
          include: ["tests/e2e/**/*.test.ts"],
          testTimeout: 3 * minute,
          hookTimeout: minute,
          maxWorkers: filesAtATime,
        },
      },
      {
        test: {
          name: "browser",
          setupFiles,
          include: ["tests/browser/**/*.test.ts"],
          globalSetup: "tests/browser/prepare.ts",
          testTimeout: 3 * minute,
          hookTimeout: 10 * minute,
          maxWorkers: filesAtATime,
        },
      },
      {
        test: {
          name: "deploy",
          setupFiles,
          include: ["tests/deploy/**/*.test.ts"],
          globalSetup: "tests/deploy/prepare.ts",
          // They share containers, networks and ports.
          fileParallelism: false,
          testTimeout: 5 * minute,
          hookTimeout: 10 * minute,
        },
      },
      {
        test: {
          name: "kubernetes",
          setupFiles,
          include: ["tests/kubernetes/**/*.test.ts"],
          globalSetup: "tests/kubernetes/prepare.ts",
          testTimeout: 10 * minute,
          hookTimeout: 10 * minute,
        },
      },
    ],
  },
});
