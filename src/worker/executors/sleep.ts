/** Runs the kind `sleep`: nothing but a timer in the worker's own process. */
import type { Json } from "../../model/json.ts";
import type { SleepInput } from "../../model/kinds/sleep.ts";
import { isObject, type KindRunner } from "./kindRunner.ts";

export const sleepRunner: KindRunner = {
  name: "sleep",

  start({ input }, { clock }, onEnd) {
    if (!isSleepInput(input)) return "invalid";
    const startedAt = clock.now();
    const end = (outcome: "success" | "aborted") => onEnd({ outcome, startedAt, endedAt: clock.now() });
    // Zero seconds need no timer: tiny tasks come in tens of thousands a second.
    if (input.seconds === 0) {
      end("success");
      return null;
    }
    const timer = clock.at(startedAt + Math.ceil(input.seconds * 1000), () => end("success"));
    const abort = () => {
      timer.cancel();
      end("aborted");
    };
    return { abort };
  },
};

function isSleepInput(input: Json): input is Json & SleepInput {
  const seconds = isObject(input) ? input["seconds"] : null;
  return typeof seconds === "number" && seconds >= 0;
}
