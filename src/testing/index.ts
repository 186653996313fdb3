/** What `import … from "outlast/testing"` gives: a cluster in the process of a test, and a test that kills at every boundary. */

export { type CrashReport, CrashTestFailed, type CrashTestOptions, crashTest } from "./crashTest.ts";
export type { Boundary } from "./memoryWorker.ts";
export { type Stub, TestCluster, type TestClusterOptions, testCluster } from "./testCluster.ts";
