/** Writes docs/access.md from the routes themselves (`--write`), or checks that it still says what they say. */
import type { Access } from "../src/api/auth/routeAccess.ts";
import type { Route } from "../src/api/routes/route.ts";
import { routes } from "../src/api/routes/routes.ts";
import { mayRole, type Permission, roles } from "../src/model/principals/principal.ts";
import { writeOrCheck } from "./printedDocument.ts";

const queueRules: { readonly [Of in Access["of"]]: string } = {
  none: "about no queue",
  all: "only without a bound to queues",
  each: "shows or changes what is in the caller's queues",
  task: "of the task",
  template: "of the template",
  schedule: "of the schedule",
  webhook: "of all queues that it hears of",
  queue: "the queue itself",
  worker: "of the worker",
};

writeOrCheck("docs/access.md", toMarkdown(), { source: "the routes", script: "scripts/accessDocument.ts" });

function toMarkdown(): string {
  return [
    "# Who may call what",
    "",
    "Written by `scripts/accessDocument.ts` from the routes; do not edit it here. [people.md](people.md) explains roles, queues and tokens.",
    "",
    "An `x` means that the role may call the route. The root token may call all of them, and so may everybody where no credential is needed.",
    "The last column says which queue must be the caller's, for users and tokens that are bound to queues. Things of other queues are unknown",
    "to them: such a request is answered like one for something that does not exist (404).",
    "",
    `| route | ${roles.join(" | ")} | queue |`,
    `|---|${roles.map(() => "---|").join("")}---|`,
    ...routes.map(row),
    "",
    "`own` stands for tasks that the caller has submitted.",
    "",
  ].join("\n");
}

function row({ method, path: route, access }: Route): string {
  const cells = roles.map((role) => cell(access, role));
  return `| \`${method} ${route}\` | ${cells.join(" | ")} | ${queueRules[access.of]} |`;
}

function cell({ needs, isOwnOnly, isForWorkers }: Access, role: (typeof roles)[number]): string {
  if (needs === "everybody") return "no credential";
  if (needs === "signed-in") return "x";
  if (isForWorkers === true && mayRole(role, "work")) return "x";
  if (!mayRole(role, needs)) return "";
  const control: Permission = "control";
  return isOwnOnly === true && !mayRole(role, control) ? "own" : "x";
}
