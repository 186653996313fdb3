/**
 * A receiver of webhooks that believes only what was signed with its secret. Nothing to install:
 *
 *   outlast webhook add example http://127.0.0.1:8080/ --on end      # prints the secret
 *   WEBHOOK_SECRET=whsec_… node examples/webhook/receiver.ts
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";

const secret = Buffer.from((process.env["WEBHOOK_SECRET"] ?? "").replace(/^whsec_/, ""), "base64");
/** Older messages are refused: somebody may have recorded them. */
const secondsMax = 300;

/** The signature covers the id, the time and the very bytes of the body: https://www.standardwebhooks.com */
function isGenuine(headers: IncomingHttpHeaders, body: Buffer): boolean {
  const id = String(headers["webhook-id"]);
  const timestamp = String(headers["webhook-timestamp"]);
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < secondsMax)) return false;
  const wanted = createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body).digest();
  return String(headers["webhook-signature"])
    .split(" ")
    .some((signature) => {
      const given = Buffer.from(signature.replace(/^v1,/, ""), "base64");
      return given.length === wanted.length && timingSafeEqual(given, wanted);
    });
}

/** The same message may come more than once; its id is the same then. A real receiver keeps these ids with what it does. */
const seen = new Set<string>();

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(request);
  if (!isGenuine(request.headers, body)) {
    response.writeHead(401).end();
    return;
  }
  const id = String(request.headers["webhook-id"]);
  if (!seen.has(id)) console.log(body.toString());
  seen.add(id);
  // Any 2xx means: you need not send this again. Answer soon, and do the work afterwards.
  response.writeHead(204).end();
}

// Not where a worker loads all of examples/ for its tasks.
if (import.meta.main) {
  if (secret.length === 0) throw new Error("WEBHOOK_SECRET holds no secret.");
  const server = createServer((request, response) => {
    take(request, response).catch(() => response.destroy());
  });
  server.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1", () => console.error("listening"));
}
