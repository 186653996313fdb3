/** Makes a webhook or changes one, and shows a fresh secret once. */
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { put, segment } from "../../api/client.ts";
import { useSeesAllQueues } from "../../api/rights.ts";
import type { Webhook, WebhookPut, WebhookView } from "../../api/schema.ts";
import { queries } from "../../api/session.ts";
import { Button, Field, Labelled, TextField } from "../../parts/controls.tsx";
import { DialogForm } from "../../parts/dialogForm.tsx";
import { UnreadableField } from "../../parts/fieldTexts.ts";
import { SecretDialog } from "../../parts/secretDialog.tsx";
import { Note } from "../../parts/surfaces.tsx";
import { type Draft, draftOf, endStates, randomSecret, triggers, triggerTexts, webhookOf } from "./draft.ts";

interface Props {
  /** The webhook to change; null for a new one. */
  readonly webhook: WebhookView | null;
  /** Of all webhooks: a new one must not take the place of one that is there. */
  readonly names: readonly string[];
  readonly onClose: () => void;
}

export function WebhookDialog({ webhook, names, onClose }: Props) {
  const [name, setName] = useState(webhook?.name ?? "");
  const [draft, setDraft] = useState(() => draftOf(webhook?.content ?? null));
  /** To be shown once; null before it is there. */
  const [secret, setSecret] = useState<string | null>(null);
  const [madeHere, setMadeHere] = useState<string | null>(null);
  const change = (changes: Partial<Draft>) => setDraft({ ...draft, ...changes });
  const made = read(draft);
  const navigate = useNavigate();
  const save = useMutation({
    mutationFn: (content: Webhook) => put<WebhookPut>(`/v1/webhooks/${segment(name)}`, content),
    onSuccess: async ({ secret: fresh = draft.secret === madeHere ? madeHere : null }) => {
      await queries.invalidateQueries();
      await navigate({ to: "/webhooks", search: { name } });
      if (fresh === null) onClose();
      else setSecret(fresh);
    },
  });
  if (secret !== null)
    return (
      <SecretDialog
        title={`The secret of ${name}`}
        secret={secret}
        kept="Outlast keeps it to sign with, and shows it to nobody."
        onClose={onClose}
      >
        Give it to the receiver, which checks with it that requests are genuine.
      </SecretDialog>
    );
  const isTaken = webhook === null && names.includes(name);
  return (
    <DialogForm
      title={webhook === null ? "New webhook" : `Change ${webhook.name}`}
      verb={webhook === null ? "Make it" : "Change it"}
      mutation={{ ...save, mutate: () => typeof made !== "string" && !isTaken && save.mutate(made) }}
      onClose={onClose}
    >
      {webhook === null ? (
        <TextField
          label="Name"
          hint={isTaken ? "There is a webhook of this name." : undefined}
          required
          autoComplete="off"
          value={name}
          onText={setName}
        />
      ) : null}
      <TextField
        label="URL"
        hint="Events are sent there by POST."
        type="url"
        required
        placeholder="https://example.com/hooks"
        value={draft.url}
        onText={(url) => change({ url })}
      />
      <EventFields draft={draft} onChange={change} />
      <FilterFields draft={draft} onChange={change} />
      <SecretOfWebhook
        isNew={webhook === null}
        secret={draft.secret}
        onTyped={(text) => change({ secret: text })}
        onMake={() => {
          const fresh = randomSecret();
          setMadeHere(fresh);
          change({ secret: fresh });
        }}
      />
      {typeof made === "string" ? <Note tone="warn">{made}</Note> : null}
    </DialogForm>
  );
}

/** The webhook, or the sentence that says why there is none. */
function read(draft: Draft): Webhook | string {
  try {
    return webhookOf(draft);
  } catch (error) {
    if (error instanceof UnreadableField) return error.message;
    throw error;
  }
}

interface FieldsProps {
  readonly draft: Draft;
  readonly onChange: (changes: Partial<Draft>) => void;
}

function EventFields({ draft, onChange }: FieldsProps) {
  const seesAllQueues = useSeesAllQueues();
  // Alarms are about the cluster as a whole.
  const offered = triggers.filter((each) => each !== "alarm" || seesAllQueues || draft.on.has(each));
  return (
    <>
      <Choices
        legend="Tell it when"
        values={offered}
        chosen={draft.on}
        textOf={(each) => (
          <>
            <span className="font-medium">{each}</span> <span className="text-muted">{triggerTexts[each]}</span>
          </>
        )}
        onChange={(on) => onChange({ on })}
      />
      {draft.on.has("end") ? (
        <Choices
          legend="Which ends"
          values={endStates}
          chosen={draft.states}
          isInline
          onChange={(states) => onChange({ states })}
        />
      ) : null}
      {draft.on.has("late") ? (
        <TextField
          label="Late after"
          hint="30s, 5m, 2h; one minute if empty"
          placeholder="1m"
          value={draft.late}
          onText={(late) => onChange({ late })}
        />
      ) : null}
    </>
  );
}

interface ChoicesProps<Value extends string> {
  readonly legend: string;
  readonly values: readonly Value[];
  readonly chosen: ReadonlySet<Value>;
  readonly isInline?: boolean;
  readonly textOf?: (value: Value) => ReactNode;
  readonly onChange: (chosen: ReadonlySet<Value>) => void;
}

function Choices<Value extends string>({
  legend,
  values,
  chosen,
  isInline = false,
  textOf,
  onChange,
}: ChoicesProps<Value>) {
  return (
    <fieldset>
      <legend className="mb-1 font-medium text-soft">{legend}</legend>
      <div className={isInline ? "flex flex-wrap gap-x-4 gap-y-1" : "grid gap-1"}>
        {values.map((each) => (
          <label key={each} className="flex items-baseline gap-2">
            <input
              type="checkbox"
              className="size-4 shrink-0 translate-y-0.5 accent-[var(--accent-fill)]"
              checked={chosen.has(each)}
              onChange={({ target }) => {
                const next = new Set(chosen);
                if (target.checked) next.add(each);
                else next.delete(each);
                onChange(next);
              }}
            />
            <span>{textOf?.(each) ?? each}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

const allQueues = "Names with spaces between them; etl-* stands for all that begin with etl-.";

function FilterFields({ draft, onChange }: FieldsProps) {
  const seesAllQueues = useSeesAllQueues();
  return (
    <>
      <TextField
        label="Only these queues"
        hint={allQueues}
        placeholder={seesAllQueues ? "all queues" : "all of your queues"}
        spellCheck={false}
        value={draft.queues}
        onText={(queues) => onChange({ queues })}
      />
      <Labelled label="Only tasks with these names" hint="One on each line; a * at its end stands for any rest.">
        {(id) => (
          <textarea
            id={id}
            rows={2}
            spellCheck={false}
            placeholder="all names"
            className="rounded-md border border-line-strong/70 bg-surface px-2 py-1 placeholder:text-muted placeholder:italic max-md:text-base"
            value={draft.names}
            onChange={(event) => onChange({ names: event.target.value })}
          />
        )}
      </Labelled>
      <TextField
        label="Only tasks from these templates"
        placeholder="all tasks"
        spellCheck={false}
        value={draft.templates}
        onText={(templates) => onChange({ templates })}
      />
      <TextField label="Description" value={draft.description} onText={(description) => onChange({ description })} />
    </>
  );
}

interface SecretProps {
  readonly isNew: boolean;
  readonly secret: string;
  readonly onTyped: (secret: string) => void;
  readonly onMake: () => void;
}

function SecretOfWebhook({ isNew, secret, onTyped, onMake }: SecretProps) {
  return (
    <Labelled
      label="Secret"
      hint={`whsec_ and base64, to sign requests with. ${isNew ? "Empty to have one made, which is shown once." : "Empty to keep the one that it has."}`}
    >
      {(id) => (
        <div className="flex gap-2">
          <Field
            id={id}
            type="password"
            autoComplete="off"
            className="min-w-0 flex-1"
            value={secret}
            onChange={(event) => onTyped(event.target.value)}
          />
          {isNew ? null : <Button onClick={onMake}>Make one</Button>}
        </div>
      )}
    </Labelled>
  );
}
