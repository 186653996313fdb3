/** Makes a template or a new version of one: its variables, and the task that they stand in. */
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { isId } from "../../../../src/model/ids.ts";
import { put, segment } from "../../api/client.ts";
import type { TemplateVersion } from "../../api/schema.ts";
import { queries } from "../../api/session.ts";
import { Choice } from "../../parts/choice.tsx";
import { TextBox, TextField } from "../../parts/controls.tsx";
import { DialogForm } from "../../parts/dialogForm.tsx";
import { type Draft, draftOf, taskMistake, templateOf } from "./draft.ts";
import { VariableDrafts } from "./variableDrafts.tsx";

interface Props {
  /** The latest version; null for a new template. */
  readonly template: TemplateVersion | null;
  /** Of all templates: a new one must not take the place of one that is there. */
  readonly names: readonly string[];
  readonly onClose: () => void;
}

export function TemplateDialog({ template, names, onClose }: Props) {
  const [name, setName] = useState(template?.name ?? "");
  const [draft, setDraft] = useState(() => draftOf(template));
  const change = (changes: Partial<Draft>) => setDraft({ ...draft, ...changes });
  const navigate = useNavigate();
  const save = useMutation({
    // The form is sent only if each of its fields can be read.
    mutationFn: () => put(`/v1/templates/${segment(name)}`, templateOf(draft)),
    onSuccess: async () => {
      await queries.invalidateQueries();
      await navigate({ to: "/templates", search: { name } });
      onClose();
    },
  });
  return (
    <DialogForm
      title={template === null ? "New template" : `New version of ${template.name}`}
      verb={template === null ? "Make it" : "Save the version"}
      isWide
      mutation={{ ...save, mutate: () => save.mutate() }}
      onClose={onClose}
    >
      {template === null ? (
        <TextField
          label="Name"
          mistake={nameOfTemplateMistake(name, names)}
          required
          autoComplete="off"
          spellCheck={false}
          value={name}
          onText={setName}
        />
      ) : (
        <p className="text-muted">
          Tasks that are there stay as they are, and schedules keep their version until they are put again.
        </p>
      )}
      <TextField label="Description" value={draft.description} onText={(description) => change({ description })} />
      <VariableDrafts variables={draft.variables} onChange={(variables) => change({ variables })} />
      <TaskFields draft={draft} onChange={change} />
    </DialogForm>
  );
}

function nameOfTemplateMistake(name: string, names: readonly string[]): string | undefined {
  if (names.includes(name)) return "There is a template of this name.";
  return name === "" || isId(name) ? undefined : "Letters, digits and . _ : - can stand in a name.";
}

const runs = { command: "a command", task: "any other task, as JSON" } as const;
const placeholders = "${name} stands for the value of the variable “name”.";

function TaskFields({
  draft,
  onChange,
}: {
  readonly draft: Draft;
  readonly onChange: (changes: Partial<Draft>) => void;
}) {
  return (
    <>
      <Choice
        label="Runs"
        value={draft.runs}
        values={["command", "task"]}
        textOf={(each) => runs[each]}
        onChange={(next) => onChange({ runs: next })}
      />
      {draft.runs === "command" ? (
        <>
          <TextBox
            label="Command"
            hint={`Each line is one argument. ${placeholders}`}
            rows={4}
            required
            placeholder={"./report.sh\n${month}"}
            value={draft.command}
            onText={(command) => onChange({ command })}
          />
          <div className="grid grid-cols-1 items-start gap-4 sm:grid-cols-2">
            <TextField
              label="Queue"
              placeholder="default"
              spellCheck={false}
              value={draft.queue}
              onText={(queue) => onChange({ queue })}
            />
            <TextField
              label="Name of the task"
              placeholder="report of ${month}"
              value={draft.taskName}
              onText={(taskName) => onChange({ taskName })}
            />
          </div>
        </>
      ) : (
        <TextBox
          label="Task"
          hint={`JSON, as outlast submit takes it, without an id. ${placeholders}`}
          mistake={taskMistake(draft.task)}
          rows={10}
          required
          value={draft.task}
          onText={(task) => onChange({ task })}
        />
      )}
    </>
  );
}
