/** Runs the kind `exec`: a command in a process group of its own. Its life is `CommandAttempt`. */
import { resolve } from "node:path";
import type { Json } from "../../model/json.ts";
import type { ExecInput } from "../../model/kinds/exec.ts";
import type { IssuedAttempt } from "../../model/protocol.ts";
import { CommandAttempt } from "./command.ts";
import { attemptEnvironment, attemptMarks } from "./environment.ts";
import { isObject, isText, type KindRunner } from "./kindRunner.ts";

export const execRunner: KindRunner = {
  name: "exec",

  start({ task, attempt: number, assignedAt, input }, machine, onEnd) {
    if (!isExecInput(input)) return "invalid";
    const attempt: IssuedAttempt = { task, attempt: number, assignedAt };
    const { processes, watchdog, clock, log } = machine;
    const command = new CommandAttempt({
      attempt,
      input,
      env: attemptEnvironment(machine.commandEnvironment, { ...input.env, ...input.secretEnv }, machine, attempt),
      cwd: resolve(machine.directory, input.cwd ?? ""),
      home: machine.directory,
      marks: attemptMarks(machine, attempt),
      processes,
      watchdog,
      clock,
      log,
      wasSignalled: () => machine.wasSignalled(),
      onOutput: (bytes) => machine.onOutput(attempt, bytes),
    });
    void command.run().then(onEnd);
    return command;
  },
};

function isExecInput(input: Json): input is Json & ExecInput {
  if (!isObject(input)) return false;
  const { command, env = {}, secretEnv = {}, cwd = "", shell = false, memoryBytesMax = 1 } = input;
  const isCommand = Array.isArray(command) && command.length > 0 && command.every(isText);
  const isEnvironment = [env, secretEnv].every((each) => isObject(each) && Object.values(each).every(isText));
  const isBound = typeof memoryBytesMax === "number" && Number.isSafeInteger(memoryBytesMax) && memoryBytesMax > 0;
  return isCommand && isEnvironment && isText(cwd) && typeof shell === "boolean" && isBound;
}
