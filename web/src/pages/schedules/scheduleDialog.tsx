/** Makes a schedule or changes one: when, what, and the ticks that this comes to while it is typed. */
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { put, segment } from "../../api/client.ts";
import { templateQuery, templatesQuery, ticksQuery } from "../../api/queries.ts";
import type { Schedule, ScheduleView } from "../../api/schema.ts";
import { queries } from "../../api/session.ts";
import { Choice } from "../../parts/choice.tsx";
import { Field, Labelled, Select, TextBox, TextField } from "../../parts/controls.tsx";
import { DialogForm } from "../../parts/dialogForm.tsx";
import { UnreadableField } from "../../parts/fieldTexts.ts";
import { Note, Problem } from "../../parts/surfaces.tsx";
import { VariableFields } from "../templates/variableFields.tsx";
import { initialTexts, type Texts, type Variables, valuesOf } from "../templates/variables.ts";
import { type Draft, draftOf, misses, overlaps, scheduleOf, whens } from "./draft.ts";

interface Props {
  /** The schedule to change; null for a new one. */
  readonly schedule: ScheduleView | null;
  /** Of all schedules: a new one must not take the place of one that is there. */
  readonly names: readonly string[];
  readonly onClose: () => void;
}

const ticksShown = 3;
const ownTimeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const timeZones = ["UTC", ...Intl.supportedValuesOf("timeZone")];
const labels = { cron: "by a cron expression", every: "at equal distances", once: "once" } as const;

/** What it says, without changing whether it is paused: it may have been resumed since it was put. */
function asItStands({ content, isPaused }: ScheduleView): Schedule {
  return content.isPaused === undefined ? content : { ...content, isPaused };
}

export function ScheduleDialog({ schedule, names, onClose }: Props) {
  const before = schedule === null ? null : asItStands(schedule);
  const [name, setName] = useState(schedule?.name ?? "");
  const [draft, setDraft] = useState(() => draftOf(before, ownTimeZone));
  const [texts, setTexts] = useState<Texts | null>(null);
  const change = (changes: Partial<Draft>) => setDraft({ ...draft, ...changes });
  const template = useQuery({ ...templateQuery(draft.template), enabled: draft.template !== "" }).data;
  const variables = (template?.variables ?? {}) as Variables;
  const held = texts ?? initialTexts(variables, before?.template === draft.template ? before.variables : {});
  const made = read(() => scheduleOf(draft, valuesOf(variables, held), before));
  const navigate = useNavigate();
  const save = useMutation({
    mutationFn: (content: Schedule) => put(`/v1/schedules/${segment(name)}`, content),
    onSuccess: async () => {
      await queries.invalidateQueries();
      await navigate({ to: "/schedules", search: { name } });
      onClose();
    },
  });
  const isTaken = schedule === null && names.includes(name);
  return (
    <DialogForm
      title={schedule === null ? "New schedule" : `Change ${schedule.name}`}
      verb={schedule === null ? "Make it" : "Change it"}
      mutation={{ ...save, mutate: () => typeof made !== "string" && !isTaken && save.mutate(made) }}
      onClose={onClose}
    >
      {schedule === null ? (
        <TextField
          label="Name"
          hint={isTaken ? "There is a schedule of this name." : undefined}
          required
          value={name}
          onText={setName}
        />
      ) : null}
      <TextField label="Description" value={draft.description} onText={(description) => change({ description })} />
      <WhenFields draft={draft} onChange={change} />
      <RunsFields draft={draft} onChange={change} variables={variables} texts={held} onTexts={setTexts} />
      <div className="grid grid-cols-2 items-start gap-4">
        <Choice
          label="If the last one still runs"
          value={draft.overlap}
          values={overlaps}
          onChange={(overlap) => change({ overlap })}
        />
        <Choice label="Missed ticks" value={draft.missed} values={misses} onChange={(missed) => change({ missed })} />
      </div>
      {/* What is still empty is no mistake yet; the form asks for it when it is sent. */}
      {!isFilled(draft, variables, held) ? null : typeof made === "string" ? (
        <Note tone="warn">{made}</Note>
      ) : (
        <Preview name={name} schedule={made} />
      )}
    </DialogForm>
  );
}

/** The value, or the sentence that says why there is none. */
function read(make: () => Schedule): Schedule | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof UnreadableField) return error.message;
    if (error instanceof SyntaxError) return "One of the values is not valid JSON.";
    throw error;
  }
}

/** Whether every field that must hold something does. */
function isFilled(
  { when, cron, timeZone, every, at, template, task }: Draft,
  variables: Variables,
  texts: Texts,
): boolean {
  const ofWhen = { cron: [cron, timeZone], every: [every], once: [at] }[when];
  const needed = Object.entries(variables).flatMap(([name, variable]) =>
    variable.default === undefined ? [name] : [],
  );
  const ofRuns = template === "" ? [task] : needed.map((name) => texts[name] ?? "");
  return [...ofWhen, ...ofRuns].every((text) => text.trim() !== "");
}

function WhenFields({
  draft,
  onChange,
}: {
  readonly draft: Draft;
  readonly onChange: (changes: Partial<Draft>) => void;
}) {
  return (
    <>
      <Choice
        label="When"
        value={draft.when}
        values={whens}
        textOf={(when) => labels[when]}
        onChange={(when) => onChange({ when })}
      />
      {draft.when === "cron" ? (
        <div className="grid grid-cols-2 items-start gap-4">
          <TextField
            label="Cron"
            hint="minute hour day month weekday"
            required
            className="font-mono"
            value={draft.cron}
            onText={(cron) => onChange({ cron })}
          />
          <Labelled label="Time zone">
            {(id, marks) => (
              <>
                <Field
                  id={id}
                  {...marks}
                  required
                  list={`${id}-zones`}
                  value={draft.timeZone}
                  onChange={(event) => onChange({ timeZone: event.target.value })}
                />
                <datalist id={`${id}-zones`}>
                  {timeZones.map((zone) => (
                    <option key={zone} value={zone} />
                  ))}
                </datalist>
              </>
            )}
          </Labelled>
        </div>
      ) : draft.when === "every" ? (
        <TextField
          label="Every"
          hint="90s, 15m, 2h, 1d"
          required
          value={draft.every}
          onText={(every) => onChange({ every })}
        />
      ) : (
        <TextField
          label="At"
          hint={`in your time, ${ownTimeZone}`}
          required
          type="datetime-local"
          value={draft.at}
          onText={(at) => onChange({ at })}
        />
      )}
    </>
  );
}

interface RunsProps {
  readonly draft: Draft;
  readonly onChange: (changes: Partial<Draft>) => void;
  /** Of the template. */
  readonly variables: Variables;
  readonly texts: Texts;
  readonly onTexts: (texts: Texts | null) => void;
}

/** What each tick runs. */
function RunsFields({ draft, onChange, variables, texts, onTexts }: RunsProps) {
  const templates = useQuery(templatesQuery).data?.templates ?? [];
  return (
    <>
      <Labelled label="Runs">
        {(id) => (
          <Select
            id={id}
            value={draft.template}
            onChange={(event) => {
              onTexts(null);
              onChange({ template: event.target.value });
            }}
          >
            <option value="">a task of its own</option>
            {templates.map((each) => (
              <option key={each.name} value={each.name}>
                the template {each.name}
              </option>
            ))}
          </Select>
        )}
      </Labelled>
      {draft.template === "" ? (
        <TextBox
          label="Task"
          hint="JSON, as outlast submit takes it"
          rows={6}
          required
          value={draft.task}
          onText={(task) => onChange({ task })}
        />
      ) : (
        <VariableFields variables={variables} texts={texts} onTexts={onTexts} />
      )}
    </>
  );
}

const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function Preview({ name, schedule }: { readonly name: string; readonly schedule: Schedule }) {
  const { data, error } = useQuery({
    ...ticksQuery(name, schedule),
    retry: false,
    placeholderData: keepPreviousData,
  });
  if (error !== null) return <Problem error={error} />;
  const ticks = data?.ticks.slice(0, ticksShown) ?? [];
  return (
    <div role="status" className="text-muted">
      {ticks.length === 0 ? "No tick follows." : "Next, in your time: "}
      {ticks.map(({ at }) => local.format(at)).join(" · ")}
    </div>
  );
}
