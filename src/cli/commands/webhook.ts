/** `outlast webhook`: makes, lists, tests and removes webhooks, and shows what has become of their deliveries. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { FinalState } from "../../model/task.ts";
import { type WebhookTrigger, type WebhookView, webhookTriggers } from "../../model/webhooks/webhook.ts";
import type { WebhookDelivery } from "../../sdk/webhooks.ts";
import { commaList, idArgument, patternList, positiveDuration, stateList } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { formatInstant } from "../duration.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { UsageError } from "../failure.ts";
import type { Column } from "../table.ts";

const examples = `
  outlast webhook add oncall https://example.com/hooks --on failure,late --queues reports
  outlast webhook test oncall
  outlast webhook deliveries oncall --given-up
`;

interface AddFlags {
  readonly on?: readonly WebhookTrigger[];
  readonly states?: readonly FinalState[];
  readonly queues?: readonly string[];
  readonly names?: readonly string[];
  readonly templates?: readonly string[];
  readonly lateAfter?: number;
  readonly description?: string;
  readonly secretEnv?: string;
}

export function webhookCommand(program: Command): void {
  const webhook = program.command("webhook").addHelpText("after", examples);
  webhook
    .command("add")
    .description("make a webhook, or change the one of this name; a new one's secret is printed, this once")
    .argument("<name>", "name of the webhook", idArgument)
    .argument("<url>", "where its events are sent")
    .addOption(
      new Option("--on <events>", `what it is told: ${webhookTriggers.join(", ")}; end if left out`).argParser(
        triggers,
      ),
    )
    .addOption(new Option("--states <states>", "of end: only tasks that end like this").argParser(stateList))
    .addOption(new Option("--queues <patterns>", "only these queues; reports or report*").argParser(patternList))
    .addOption(new Option("--names <patterns>", "only tasks with these names").argParser(commaList))
    .addOption(new Option("--templates <patterns>", "only tasks from these templates").argParser(commaList))
    .addOption(
      new Option("--late-after <duration>", "how long after its time a start is late; 1m if left out").argParser(
        positiveDuration,
      ),
    )
    .option("--description <text>", "for people")
    .option("--secret-env <variable>", "sign with the secret in this variable (whsec_ and base64) instead of a new one")
    .action(action(add));
  webhook.command("ls", { isDefault: true }).description("list the webhooks").action(action(list));
  webhook
    .command("rm")
    .description("remove a webhook; what waits to be delivered to it is thrown away")
    .argument("<name>", "the webhook", idArgument)
    .action(action(remove));
  webhook
    .command("test")
    .description("send a webhook an event of type test, and wait for what its receiver says")
    .argument("<name>", "the webhook", idArgument)
    .action(action(test));
  webhook
    .command("deliveries")
    .description("list what waits to be delivered to a webhook")
    .argument("<name>", "the webhook", idArgument)
    .option("--given-up", "list what was given up instead")
    .action(action(deliveries));
}

function triggers(text: string): readonly WebhookTrigger[] {
  return commaList(text).map((item) => {
    const trigger = webhookTriggers.find((known) => known === item);
    if (trigger !== undefined) return trigger;
    throw new InvalidArgumentError(`Unknown event "${item}". There are: ${webhookTriggers.join(", ")}.`);
  });
}

async function add(context: Context, name: string, url: string, flags: AddFlags): Promise<undefined> {
  const { secretEnv, lateAfter: lateMs, on, states, queues, names, templates, description } = flags;
  const secret = secretEnv === undefined ? undefined : process.env[secretEnv];
  if (secretEnv !== undefined && secret === undefined)
    throw new UsageError(`This command has no variable ${secretEnv} in its environment.`);
  const client = await context.client();
  const given = { description, on, states, queues, names, templates, lateMs, secret };
  const wanted = { url, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
  const made = await client.webhooks.put(name, wanted, { signal: context.signal });
  const { output } = context;
  if (output.isJson) return output.document(made) as undefined;
  if (made.secret !== undefined) output.line(made.secret);
  const how = made.isNew ? "is there now" : "is changed";
  const about =
    made.secret === undefined ? "" : " Its receiver checks signatures with this secret, which is shown only now.";
  output.note(`Webhook ${name} ${how}.${about}`);
}

async function list(context: Context): Promise<undefined> {
  const client = await context.client();
  const webhooks = await client.webhooks.list({ signal: context.signal });
  const { output } = context;
  if (output.isJson) return output.document({ webhooks }) as undefined;
  if (webhooks.length === 0)
    return output.note("There are no webhooks. `outlast webhook add NAME URL --on failure` makes one.") as undefined;
  output.table(columns, webhooks);
}

const columns: readonly Column<WebhookView>[] = [
  { title: "WEBHOOK", text: ({ name }) => name },
  { title: "ON", text: ({ content }) => (content.on ?? ["end"]).join(",") },
  { title: "QUEUES", text: ({ content }) => content.queues?.join(" ") ?? "all" },
  { title: "PENDING", text: ({ pending }) => String(pending), isRightAligned: true },
  { title: "DELIVERED", text: ({ delivered }) => String(delivered), isRightAligned: true },
  { title: "GIVEN UP", text: ({ givenUp, dropped }) => String(givenUp + dropped), isRightAligned: true },
  { title: "LAST", text: lastText },
  { title: "URL", text: ({ content }) => content.url, isElastic: true },
];

function lastText({ last }: WebhookView): string {
  if (last === undefined) return "never";
  return last.problem === null ? "fine" : last.problem;
}

async function remove(context: Context, name: string): Promise<undefined> {
  const client = await context.client();
  await client.webhooks.remove(name, { signal: context.signal });
  if (context.output.isJson) context.output.document({ name, isRemoved: true });
  else context.output.line(`${name} ${context.output.paint("dim", "removed")}`);
}

const lookMs = 200;
const waitMsMax = 30_000;

/** A delivery that is not there any more was taken by its receiver. */
async function test(context: Context, name: string): Promise<ExitCode | undefined> {
  const client = await context.client();
  const { output, signal } = context;
  const id = await client.webhooks.test(name, { signal });
  for (const startedAt = performance.now(); ; ) {
    const own = await find(client.webhooks.deliveries(name, { signal, consistent: true }), id);
    const isOver = own === null || own.problem !== undefined;
    if (!isOver && performance.now() - startedAt < waitMsMax) {
      await sleep(lookMs, undefined, { signal });
      continue;
    }
    const problem = own === null ? null : (own.problem ?? "There is no answer yet.");
    if (output.isJson) output.document({ name, delivery: id, problem });
    else output.line(problem === null ? `${name} has taken the test.` : `${name} has not taken the test: ${problem}`);
    return problem === null ? undefined : exitCodes.failed;
  }
}

async function find(waiting: AsyncIterable<WebhookDelivery>, id: string): Promise<WebhookDelivery | null> {
  for await (const delivery of waiting) if (delivery.id === id) return delivery;
  return null;
}

async function deliveries(context: Context, name: string, flags: { readonly givenUp?: boolean }): Promise<undefined> {
  const client = await context.client();
  const { output, signal } = context;
  const found: WebhookDelivery[] = [];
  const state = flags.givenUp === true ? "given-up" : "pending";
  for await (const delivery of client.webhooks.deliveries(name, { state, signal })) found.push(delivery);
  if (output.isJson) return output.document({ deliveries: found }) as undefined;
  if (found.length === 0) {
    const what = flags.givenUp === true ? "Nothing was given up" : "Nothing waits";
    return output.note(`${what} for webhook ${name}.`) as undefined;
  }
  output.table(
    deliveryColumns,
    found.toSorted((a, b) => a.at - b.at),
  );
}

const deliveryColumns: readonly Column<WebhookDelivery>[] = [
  { title: "EVENT", text: ({ type }) => type },
  { title: "AT", text: ({ at }) => formatInstant(at) },
  { title: "TASK", text: ({ task = "" }) => task },
  { title: "TRIES", text: ({ tries = 0 }) => String(tries), isRightAligned: true },
  {
    title: "AGAIN",
    text: ({ nextAt, givenUpAt }) => (nextAt === undefined || givenUpAt !== undefined ? "" : formatInstant(nextAt)),
  },
  { title: "PROBLEM", text: ({ problem = "" }) => problem, isElastic: true },
];
