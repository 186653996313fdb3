/** What can be done with a webhook, what is asked before, and what its receiver says to a test. */

import { queryOptions, useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { get, post, remove, segment } from "../../api/client.ts";
import { webhooksQuery } from "../../api/queries.ts";
import type { DeliveryPage, WebhookTested, WebhookView } from "../../api/schema.ts";
import { queries } from "../../api/session.ts";
import { Button } from "../../parts/controls.tsx";
import { counted } from "../../parts/counted.ts";
import { DialogForm } from "../../parts/dialogForm.tsx";
import { Problem } from "../../parts/surfaces.tsx";
import { WebhookDialog } from "./webhookDialog.tsx";

interface ActionsProps {
  readonly webhook: WebhookView;
  /** @param delivery the id of a test that is on its way */
  readonly onTest: (delivery: string) => void;
}

export function Actions({ webhook, onTest }: ActionsProps) {
  const { name, pending } = webhook;
  const [open, setOpen] = useState<"change" | "remove" | null>(null);
  const close = () => setOpen(null);
  const test = useMutation({
    mutationFn: () => post<WebhookTested>(`/v1/webhooks/${segment(name)}/test`),
    onSuccess: ({ delivery }) => onTest(delivery),
  });
  return (
    <>
      <Button disabled={test.isPending} onClick={() => test.mutate()}>
        Test
      </Button>
      <Button onClick={() => setOpen("change")}>Change …</Button>
      <Button look="danger" onClick={() => setOpen("remove")}>
        Remove …
      </Button>
      {test.error === null ? null : <Problem error={test.error} />}
      {open === "change" ? <WebhookDialog webhook={webhook} names={[]} onClose={close} /> : null}
      {open === "remove" ? <RemoveDialog {...{ name, pending }} onClose={close} /> : null}
    </>
  );
}

interface RemoveProps {
  readonly name: string;
  readonly pending: number;
  readonly onClose: () => void;
}

function RemoveDialog({ name, pending, onClose }: RemoveProps) {
  const navigate = useNavigate();
  const mutation = useMutation({
    mutationFn: () => remove(`/v1/webhooks/${segment(name)}`),
    onSuccess: async () => {
      await navigate({ to: "/webhooks", search: {}, replace: true });
      // Not its deliveries, which are gone.
      await queries.invalidateQueries({ queryKey: webhooksQuery.queryKey });
      onClose();
    },
  });
  return (
    <DialogForm title={`Remove ${name}`} verb="Remove it" look="danger" mutation={mutation} onClose={onClose}>
      <p>
        It is told nothing more.
        {pending === 0
          ? ""
          : ` ${counted(pending, "delivery that waits for it is", "deliveries that wait for it are")} thrown away.`}
      </p>
    </DialogForm>
  );
}

const lookMs = 500;

type Answer = { readonly kind: "none" | "taken" } | { readonly kind: "refused"; readonly problem: string };

/** A delivery that waits no more was taken; one that has failed says why, and is tried again. */
async function answerOf(name: string, delivery: string, signal: AbortSignal): Promise<Answer> {
  let cursor: string | null = null;
  do {
    const query = { state: "pending", limit: 1000, consistent: true, cursor };
    const path = `/v1/webhooks/${segment(name)}/deliveries`;
    const page: DeliveryPage = await get<DeliveryPage>(path, query, signal);
    const own = page.deliveries.find(({ id }) => id === delivery);
    if (own?.problem !== undefined) return { kind: "refused", problem: own.problem };
    if (own !== undefined) return { kind: "none" };
    ({ cursor } = page);
  } while (cursor !== null);
  return { kind: "taken" };
}

function testQuery(name: string, delivery: string) {
  return queryOptions({
    queryKey: ["webhook test", name, delivery],
    queryFn: ({ signal }) => answerOf(name, delivery, signal),
    // The first answer counts: what is not there later may have been given up as well.
    staleTime: "static",
    refetchInterval: ({ state }) => (state.data === undefined || state.data.kind === "none" ? lookMs : false),
  });
}

export function TestResult({ name, delivery }: { readonly name: string; readonly delivery: string }) {
  const { data, error } = useQuery(testQuery(name, delivery));
  if (data === undefined && error !== null) return <Problem error={error} />;
  return (
    <p
      role="status"
      className={data?.kind === "taken" ? "text-success" : data?.kind === "refused" ? "text-failed" : ""}
    >
      {data?.kind === "taken"
        ? `✓ ${name} has taken the test.`
        : data?.kind === "refused"
          ? `✕ ${name} has not taken the test: ${data.problem}`
          : "The test is on its way …"}
    </p>
  );
}
