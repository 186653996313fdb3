/** Addresses that end with a path. */
import { expect, test } from "vitest";
import { joinPath } from "./pathsInUrls.ts";

test.each([
  ["/v1/tasks/t/artifacts/out/report.csv", "/v1/tasks/t/artifacts/out%2Freport.csv"],
  ["/v1/tasks/t/artifacts/a/b%2Fc?consistent=1&x=a/b", "/v1/tasks/t/artifacts/a%2Fb%2Fc?consistent=1&x=a/b"],
  ["/v1/tasks/t/artifacts/../../u", "/v1/tasks/t/artifacts/..%2F..%2Fu"],
  ["/v1/objects/jobs/17/part-3", "/v1/objects/jobs%2F17%2Fpart-3"],
  ["/v1/tasks/t/artifacts", "/v1/tasks/t/artifacts"],
  ["/v1/tasks/t/artifacts?after=a/b", "/v1/tasks/t/artifacts?after=a/b"],
  ["/v1/tasks/t/artifacts/one?x=a/b", "/v1/tasks/t/artifacts/one?x=a/b"],
  ["/v1/tasks/t/attempts/1/logs", "/v1/tasks/t/attempts/1/logs"],
])("%s is %s", (given, expected) => {
  expect(joinPath(given)).toBe(expected);
});
