/** A task that takes its worker down every time: after some losses in a row it runs alone, and takes no others along. */
import { afterEach, expect, test } from "vitest";
import { defaults } from "../../src/model/limits.ts";
import { scene } from "./scene.ts";
import { Receiver } from "./webhookReceiver.ts";

const receiver = new Receiver();
afterEach(() => receiver.stop());

/** The task kills its worker so often; the waits in between come to some ten seconds. */
const lossesWanted = 5;
const waitMsMax = 60_000;

test("a task that kills its worker waits longer each time, and from the third loss on takes no other task along", () =>
  scene(
    ["master", "worker-1"],
    async (play) => {
      const { secret = "" } = await play.client.webhooks.put("oncall", { url: await receiver.start(), on: ["alarm"] });
      receiver.secret = secret;
      // Its parent is the worker's own process.
      await play.client.submit({
        id: "bad",
        kind: "exec",
        input: { command: ["kill -9 $PPID; sleep 60"], shell: true },
      });
      const seen: number[] = [];
      let goods = 0;
      await play.until(
        "the worker to be lost again and again",
        async () => {
          if (!play.cluster.isUp("worker-1")) await play.cluster.start("worker-1");
          const { losses = 0 } = await play.client.get("bad");
          if (losses > (seen.at(-1) ?? 0)) {
            seen.push(losses);
            // From here on others run at any time at which it comes back.
            if (losses >= defaults.lossesBeforeAlone)
              for (let count = 0; count < 12; count += 1) {
                await play.client.submit({ id: `good${goods}`, kind: "sleep", input: { seconds: 1.5 } });
                goods += 1;
              }
          }
          return losses >= lossesWanted;
        },
        waitMsMax,
      );
      await play.client.cancel("bad");
      if (!play.cluster.isUp("worker-1")) await play.cluster.start("worker-1");
      for (let index = 0; index < goods; index += 1)
        expect(await play.success(`good${index}`)).toMatchObject({ kills: 0, attempt: 1 });
      expect(seen).toEqual([1, 2, 3, 4, 5]);
      await play.until("the alarm to be told", () => receiver.messages.length > 0);
      expect(receiver.messages).toMatchObject([
        { type: "alarm", kind: "suspect-task", fields: { task: "bad", queue: "default", losses: 3 } },
      ]);
    },
    { capacity: 4, masterArguments: ["--webhook-private"] },
  ));
