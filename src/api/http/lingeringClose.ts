/** Closes a connection so that the sender of a refused body still gets the answer: closing at once would reset the connection. */
import type { IncomingMessage } from "node:http";
import { limits } from "../../model/limits.ts";

/**
 * Must be called before the answer is sent with `connection: close`. The rest of the body is discarded until it ends or
 * `limits.lingeringCloseMsMax` have passed; then the connection is closed.
 */
export function closeLingering(request: IncomingMessage): void {
  const { socket } = request;
  // The server calls this after the last answer of a connection. The original closes both directions at once.
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
