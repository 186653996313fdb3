/** Takes addresses in which the last parameter is a path, written as it is: `/v1/tasks/ID/artifacts/out/report.csv`. */

/** What stands before a path of an artifact, or a name of an object; and that, up to the query. */
const withPath = /^(\/v1\/(?:tasks\/[^/?]+\/artifacts|objects)\/)([^?]*\/[^?]*)/;

/** The same address with the slashes of such a path as `%2F`, as routes want it. */
export function joinPath(url: string): string {
  return url.replace(withPath, (_all, before: string, path: string) => before + path.replaceAll("/", "%2F"));
}
