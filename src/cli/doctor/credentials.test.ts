/** What the doctor says of the way on which tokens travel. */
import { expect, test } from "vitest";
import { checkTls } from "./credentials.ts";

test("an address beyond this machine without TLS is told of", () => {
  const told = (address: string) => checkTls([{ address }]).map(({ verdict, message }) => [verdict, message]);
  for (const fine of ["http://127.0.0.1:7070", "http://[::1]:7070", "http://localhost:1", "https://m1.example:7070"])
    expect(told(fine)).toEqual([]);
  for (const plain of ["http://10.0.0.1:7070", "http://m1.example:7070", "http://[fd00::1]:7070"])
    expect(told(plain)).toEqual([["odd", expect.stringContaining(`${plain} is reached without TLS`)]]);
  expect(checkTls([{ address: "http://10.0.0.1:7070", isBehindProxy: true }])).toEqual([]);
});
