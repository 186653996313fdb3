/** Seals a simulation off from the real world: while it runs, real time, real chance, real files and real sockets throw. */
import crypto from "node:crypto";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import timers from "node:timers";

type Holder = { [name: string]: unknown };

function refuse(name: string): () => never {
  return () => {
    throw new Error(`${name} was called inside the simulation: everything must come through a port`);
  };
}

/** What is taken away, by the object that holds it. Digests, CRCs and the like stay: they are pure. */
function doors(): readonly { holder: Holder; label: string; names: readonly string[] }[] {
  const web = globalThis as unknown as Holder;
  return [
    { holder: web, label: "globalThis", names: ["setTimeout", "setInterval", "setImmediate", "fetch"] },
    { holder: Math as unknown as Holder, label: "Math", names: ["random"] },
    { holder: Date as unknown as Holder, label: "Date", names: ["now"] },
    { holder: performance as unknown as Holder, label: "performance", names: ["now"] },
    { holder: process as unknown as Holder, label: "process", names: ["hrtime"] },
    { holder: timers, label: "timers", names: ["setTimeout", "setInterval", "setImmediate"] },
    { holder: globalThis.crypto as unknown as Holder, label: "crypto", names: ["getRandomValues", "randomUUID"] },
    {
      holder: crypto,
      label: "node:crypto",
      names: ["randomBytes", "randomInt", "randomUUID", "randomFill", "randomFillSync"],
    },
    { holder: fs, label: "node:fs", names: functionsOf(fs) },
    { holder: fs.promises, label: "node:fs/promises", names: functionsOf(fs.promises) },
    { holder: net, label: "node:net", names: ["connect", "createConnection", "createServer"] },
  ];
}

function functionsOf(module: object): string[] {
  const holder = module as Holder;
  return Object.keys(holder).filter((name) => typeof holder[name] === "function" && /^[a-z]/.test(name));
}

/** Closes every door and returns how to open them again. `new Date()` without arguments is closed as well. */
export function sealWorld(): () => void {
  const undo: (() => void)[] = [];
  for (const { holder, label, names } of doors()) {
    for (const name of names) {
      const before = Object.getOwnPropertyDescriptor(holder, name);
      Object.defineProperty(holder, name, { value: refuse(`${label}.${name}`), configurable: true, writable: true });
      undo.push(() => {
        if (before === undefined) delete holder[name];
        else Object.defineProperty(holder, name, before);
      });
    }
  }
  const RealDate = Date;
  const SealedDate = new Proxy(RealDate, {
    construct(target, parameters) {
      if (parameters.length === 0) refuse("new Date()")();
      return new target(...(parameters as [number]));
    },
    apply: refuse("Date()"),
  });
  globalThis.Date = SealedDate;
  syncBuiltinESMExports();
  return () => {
    globalThis.Date = RealDate;
    for (const step of undo) step();
    syncBuiltinESMExports();
  };
}
