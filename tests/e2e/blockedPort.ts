/**
 * Imported into every process of a cluster, by NODE_OPTIONS: no worker among them can reach the port BLOCKED_PORT. A cable that is
 * cut between one worker and one master, on a machine where nothing of the kind can be had.
 */
import { Socket } from "node:net";

const blockedPort = Number(process.env["BLOCKED_PORT"]);

interface Target {
  readonly port?: number | string;
}

/** As Node calls it itself: with options, in a list of their own. */
type Connect = (this: Socket, ...given: readonly unknown[]) => Socket;

const prototype = Socket.prototype as unknown as { connect: Connect };
const { connect } = prototype;

if (process.argv.includes("worker")) {
  prototype.connect = function (this: Socket, ...given) {
    const [first] = given.flat() as (Target | null)[];
    if (Number(first?.port) !== blockedPort) return connect.apply(this, [...given]);
    const error = Object.assign(new Error("The cable is cut."), { code: "EHOSTUNREACH" });
    setImmediate(() => this.destroy(error));
    return this;
  };
}
