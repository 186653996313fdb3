/** Runs the kind `exec`: commands in a process group of their own. Its life is `ExecAttempt`. */
import type { Json } from "../../model/json.ts";
import { commandsOf, type ExecInput } from "../../model/kinds/exec.ts";
import type { IssuedAttempt } from "../../model/protocol.ts";
import { ExecAttempt } from "./execAttempt.ts";
import { isObject, isText, type KindRunner } from "./kindRunner.ts";

export const execRunner: KindRunner = {
  name: "exec",

  start({ task, attempt: number, assignedAt, input, traceparent }, machine, onEnd, session) {
    if (!isExecInput(input)) return "invalid";
    const attempt: IssuedAttempt = { task, attempt: number, assignedAt };
    const admission = machine.attemptServer?.admit(session) ?? null;
    const trace = traceparent === undefined ? {} : { TRACEPARENT: traceparent };
    const environment = { ...admission?.environment, ...trace };
    const running = new ExecAttempt({ attempt, input, machine, session, environment });
    void running.run().then((end) => {
      admission?.end();
      onEnd(end);
    });
    return running;
  },
};

function isExecInput(input: Json): input is Json & ExecInput {
  if (!isObject(input)) return false;
  const {
    env = {},
    secretEnv = {},
    cwd = "",
    shell = false,
    memoryBytesMax = 1,
    processesMax = 1,
    stdin,
    files = {},
    artifacts = [],
  } = input;
  if (![input["command"] ?? [], input["commands"] ?? []].every(Array.isArray)) return false;
  const commands = commandsOf(input);
  const areCommands = commands.length > 0 && commands.every((words) => words.length > 0 && words.every(isText));
  const isEnvironment = [env, secretEnv].every((each) => isObject(each) && Object.values(each).every(isText));
  const isStdin = stdin === undefined || isText(stdin) || (isObject(stdin) && isText(stdin["blob"]));
  const areFiles = isObject(files) && Object.values(files).every(isText);
  const arePatterns = Array.isArray(artifacts) && artifacts.every(isText);
  const isPlace = isText(cwd) && typeof shell === "boolean";
  const areBounds = [memoryBytesMax, processesMax].every(
    (bound) => typeof bound === "number" && Number.isSafeInteger(bound) && bound > 0,
  );
  return areCommands && isEnvironment && isPlace && areBounds && isStdin && areFiles && arePatterns;
}
