/** How commands inside of an exec task reach their worker. */
import type { AttemptReply, AttemptRequest } from "../worker/executors/attemptServer.ts";
import { LocalFailure, UsageError } from "./failure.ts";

type Done = Exclude<AttemptReply, { kind: "refused" }>;

/** @throws UsageError outside of an attempt, LocalFailure for what is refused */
export async function askAttempt(asked: AttemptRequest): Promise<Done> {
  const { OUTLAST_ATTEMPT_SOCKET: socketPath, OUTLAST_ATTEMPT_TOKEN: token } = process.env;
  if (socketPath === undefined || token === undefined) {
    throw new UsageError(
      "This works only inside of an exec task.",
      "There, its worker sets OUTLAST_ATTEMPT_SOCKET and OUTLAST_ATTEMPT_TOKEN.",
    );
  }
  const reply = await send(socketPath, token, JSON.stringify(asked));
  if (reply.kind === "refused") throw new LocalFailure(reply.message, null);
  return reply;
}

async function send(socketPath: string, token: string, body: string): Promise<AttemptReply> {
  const { request } = await import("node:http");
  const text = await new Promise<string>((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const outgoing = request({ socketPath, path: "/", method: "POST", headers }, (answer) => {
      let received = "";
      answer.setEncoding("utf8");
      answer.on("data", (piece: string) => {
        received += piece;
      });
      answer.on("end", () => resolve(received));
      answer.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LocalFailure(`The worker of this task does not answer: ${reason}`, null);
  });
  return JSON.parse(text) as AttemptReply;
}
