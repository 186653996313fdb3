/** Hides the secrets in the input of tasks from those who may only read: in tasks, lists, graphs, templates and schedules alike. */
import { secretMembers } from "../../model/kinds/table.ts";
import { may } from "../../model/principals/principal.ts";
import type { Grant } from "./grant.ts";

/** Stands for a value. It is no string, so that a task that was copied with it is refused instead of run with it. */
const hidden = { isHidden: true } as const;

/**
 * An answer as its caller may see it. Operators and admins edit templates and schedules, so they see everything.
 * @param grant null for routes that everybody may call, which tell of no task
 */
export function hideSecrets(grant: Grant | null, answer: unknown): unknown {
  return grant === null || may(grant.principal, "operate") ? answer : withoutSecrets(answer);
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      secretMembers.has(name) ? hideAll(member) : withoutSecrets(member),
    ]),
  );
}

/** The names of variables and headers are no secret. */
function hideAll(values: unknown): unknown {
  if (typeof values !== "object" || values === null || Array.isArray(values)) return hidden;
  return Object.fromEntries(Object.keys(values).map((name) => [name, hidden]));
}
