/** The variables of a template that is being written: what each is called, which values it takes, and what it is without one. */
import { Choice } from "../../parts/choice.tsx";
import { Button, Labelled, TextBox, TextField } from "../../parts/controls.tsx";
import {
  allowedMistake,
  isNumeric,
  nameMistake,
  newVariable,
  takesAllowed,
  type VariableDraft,
  variableOf,
  variableTypes,
} from "./draft.ts";
import { ValueInput } from "./variableFields.tsx";
import { mistakeOf, type Variable } from "./variables.ts";

interface DraftsProps {
  readonly variables: readonly VariableDraft[];
  readonly onChange: (variables: readonly VariableDraft[]) => void;
}

export function VariableDrafts({ variables, onChange }: DraftsProps) {
  return (
    <fieldset className="grid grid-cols-1 gap-3">
      <legend className="mb-1 font-medium text-soft">Variables</legend>
      {variables.map((each) => (
        <OneVariable
          key={each.key}
          variable={each}
          all={variables}
          onChange={(changes) =>
            onChange(variables.map((other) => (other.key === each.key ? { ...other, ...changes } : other)))
          }
          onRemove={() => onChange(variables.filter(({ key }) => key !== each.key))}
        />
      ))}
      <div className="flex flex-wrap items-center gap-3">
        <Button onClick={() => onChange([...variables, newVariable(variables)])}>Add a variable</Button>
        {variables.length > 0 ? null : (
          <span className="text-xs text-muted">Whoever runs the template gives their values.</span>
        )}
      </div>
    </fieldset>
  );
}

interface OneProps {
  readonly variable: VariableDraft;
  readonly all: readonly VariableDraft[];
  readonly onChange: (changes: Partial<VariableDraft>) => void;
  readonly onRemove: () => void;
}

const pair = "grid grid-cols-1 items-start gap-3 sm:grid-cols-2";

function OneVariable({ variable, all, onChange, onRemove }: OneProps) {
  const { name, type, description, minimum, maximum, allowed } = variable;
  const called = name === "" ? "the variable without a name" : name;
  return (
    <div
      role="group"
      aria-label={`Variable ${name}`}
      className="grid grid-cols-1 gap-3 rounded-lg border border-line bg-raised/50 p-3"
    >
      <div className="grid grid-cols-[minmax(0,1fr)_7rem_auto] items-start gap-3 max-sm:gap-2">
        <TextField
          label="Name"
          mistake={nameMistake(variable, all)}
          required
          autoComplete="off"
          spellCheck={false}
          className="w-full font-mono"
          value={name}
          onText={(text) => onChange({ name: text })}
        />
        <Choice
          label="Type"
          value={type}
          values={variableTypes}
          onChange={(next) => onChange({ type: next, value: next === "boolean" ? "false" : "" })}
        />
        <button
          type="button"
          aria-label={`Remove ${called}`}
          title="Remove"
          onClick={onRemove}
          className="mt-6 grid size-7 place-items-center rounded-md text-muted hover:bg-hover max-md:size-9"
        >
          ✕
        </button>
      </div>
      <TextField
        label="Description"
        value={description}
        onText={(text) => onChange({ description: text })}
        placeholder="what stands beside the field"
      />
      {isNumeric(type) ? (
        <div className={pair}>
          <TextField
            label="At least"
            type="number"
            step="any"
            placeholder="no bound"
            value={minimum}
            onText={(text) => onChange({ minimum: text })}
          />
          <TextField
            label="At most"
            type="number"
            step="any"
            placeholder="no bound"
            value={maximum}
            onText={(text) => onChange({ maximum: text })}
          />
        </div>
      ) : null}
      {takesAllowed(type) ? (
        <TextBox
          label="Allowed values"
          hint="One on each line."
          mistake={allowedMistake(variable)}
          rows={2}
          placeholder="any"
          value={allowed}
          onText={(text) => onChange({ allowed: text })}
        />
      ) : null}
      <Default variable={variable} onChange={onChange} />
    </div>
  );
}

function Default({ variable, onChange }: Pick<OneProps, "variable" | "onChange">) {
  const { isNeeded, value, type } = variable;
  const shown = shownVariable(variable);
  return (
    <div className={pair}>
      <Choice
        label="If no value is given"
        value={isNeeded ? "refused" : "default"}
        values={["refused", "default"]}
        textOf={(each) => (each === "refused" ? "it does not run" : "it takes the default")}
        onChange={(next) => onChange({ isNeeded: next === "refused" })}
      />
      {isNeeded ? null : (
        <Labelled label="Default" mistake={mistakeOf(shown, value)}>
          {(id, marks) => (
            <ValueInput
              id={id}
              marks={marks}
              variable={shown}
              // Only of a text, nothing is a value, too.
              isNeeded={type !== "string"}
              text={value}
              onText={(text) => onChange({ value: text })}
            />
          )}
        </Labelled>
      )}
    </div>
  );
}

/** As far as its fields can be read by now. */
function shownVariable(variable: VariableDraft): Variable {
  const { type, minimum, maximum } = variable;
  const bare = { ...variable, isNeeded: true };
  if (allowedMistake(variable) === undefined) return variableOf(bare);
  return variableOf({ ...bare, allowed: "", before: null, type, minimum, maximum });
}
