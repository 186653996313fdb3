/** Answers are read as they come, in pieces of any size, and what is no HTTP is called that. */
import { describe, expect, test } from "vitest";
import { type Answer, AnswerReader } from "./answers.ts";

function read(
  text: string,
  methods: readonly string[],
  pieceLength: number,
): { answers: Answer[]; reader: AnswerReader } {
  const reader = new AnswerReader();
  for (const method of methods) reader.expect(method);
  const answers: Answer[] = [];
  for (let at = 0; at < text.length; at += pieceLength) {
    reader.take(Buffer.from(text.slice(at, at + pieceLength), "latin1"));
    for (let answer = reader.next(); answer !== null; answer = reader.next()) answers.push(answer);
  }
  return { answers, reader };
}

const pipelined = [
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\na: c\r\n\r\nhello",
  "HTTP/1.1 204 No Content\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
  "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
].join("");

describe("the reader of answers", () => {
  test.each([1, 7, 10_000])("parts them, in pieces of %i", (pieceLength) => {
    const { answers, reader } = read(pipelined, ["GET", "GET", "GET", "HEAD", "GET"], pieceLength);
    expect(answers.map(({ status, body }) => [status, body.toString()])).toEqual([
      [200, "hello"],
      [204, ""],
      [200, "abcde"],
      [200, ""],
      [404, ""],
    ]);
    expect(answers[0]?.headers.get("a")).toBe("b, c");
    expect([reader.garbage, reader.isCut]).toEqual([null, false]);
  });

  test("gives the head of a stream at once, and takes the rest for its events", () => {
    const { answers, reader } = read(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\r\n\r\n",
      ["GET"],
      9,
    );
    expect(answers).toMatchObject([{ status: 200, isStream: true }]);
    expect([reader.garbage, reader.isCut]).toEqual([null, false]);
  });

  test.each([
    ["no status line", "HTTP/2 200\r\n\r\n"],
    ["no status line", "<html>\r\n\r\n"],
    ["no header", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"],
    ["unknown length", "HTTP/1.1 200 OK\r\n\r\nbody"],
    ["unknown length", "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello"],
    ["no chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"],
  ])("says %s", (why, text) => {
    expect(read(text, ["GET"], 10_000).reader.garbage).toContain(why);
  });

  test("knows that an answer was cut", () => {
    expect(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", ["GET"], 10_000).reader.isCut).toBe(true);
  });
});
