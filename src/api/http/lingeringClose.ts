/** Lets the sender of a refused body see the answer: closing at once would reset the connection under it. */
import type { IncomingMessage } from "node:http";
import { limits } from "../../model/limits.ts";

/**
 * To be called before the answer is sent, with `connection: close` on it. What still comes in is thrown away
 * until the body ends or `limits.lingeringCloseMsMax` have passed; then the connection goes.
 */
export function closeLingering(request: IncomingMessage): void {
  const { socket } = request;
  // The server calls this once the last answer of a connection is written; its own version closes both ways at once.
  socket.destroySoon = () => {
    if (!socket.writable || request.complete) {
      socket.destroy();
      return;
    }
    socket.end();
    const timer = setTimeout(() => socket.destroy(), limits.lingeringCloseMsMax);
    timer.unref();
    socket.once("close", () => clearTimeout(timer));
    request.once("end", () => socket.destroy());
    request.resume();
  };
}
