/** A field for each variable of a template. */
import { Field, type FieldMarks, Labelled, Select } from "../../parts/controls.tsx";
import type { Problems, Texts, Variable, Variables } from "./variables.ts";

interface FieldsProps {
  readonly variables: Variables;
  readonly texts: Texts;
  /** Shown beside their fields; left out where the form shows none. */
  readonly problems?: Problems;
  readonly onTexts: (texts: Texts) => void;
}

export function VariableFields({ variables, texts, problems = {}, onTexts }: FieldsProps) {
  if (Object.keys(variables).length === 0) return <p className="text-muted">This template has no variables.</p>;
  return Object.entries(variables).map(([name, variable]) => (
    <Labelled key={name} label={name} hint={hintOf(variable)} problem={problems[name]}>
      {(id, marks) => (
        <Input
          id={id}
          name={name}
          marks={marks}
          variable={variable}
          text={texts[name] ?? ""}
          onText={(text) => onTexts({ ...texts, [name]: text })}
        />
      )}
    </Labelled>
  ));
}

function hintOf({ type, description, minimum, maximum, default: value }: Variable): string {
  const bounds = [
    minimum === undefined ? "" : `at least ${minimum}`,
    maximum === undefined ? "" : `at most ${maximum}`,
  ];
  return [description ?? "", type, ...bounds, value === undefined ? "required" : ""]
    .filter((part) => part !== "")
    .join(" · ");
}

interface InputProps {
  readonly id: string;
  readonly name: string;
  readonly marks: FieldMarks;
  readonly variable: Variable;
  readonly text: string;
  readonly onText: (text: string) => void;
}

function Input({ id, name, marks, variable, text, onText }: InputProps) {
  const { type, minimum, maximum, enum: allowed, default: value } = variable;
  const common = { id, name, value: text, required: value === undefined, ...marks };
  const choices = type === "boolean" ? [true, false] : allowed;
  if (choices !== undefined) {
    const texts = choices.map((choice) => (type === "string" ? String(choice) : JSON.stringify(choice)));
    return (
      <Select {...common} onChange={(event) => onText(event.target.value)}>
        {texts.includes(text) ? null : <option value="">Choose …</option>}
        {texts.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </Select>
    );
  }
  if (type === "integer" || type === "number") {
    return (
      <Field
        {...common}
        type="number"
        step={type === "integer" ? 1 : "any"}
        {...(minimum === undefined ? {} : { min: minimum })}
        {...(maximum === undefined ? {} : { max: maximum })}
        onChange={(event) => onText(event.target.value)}
      />
    );
  }
  return (
    <Field
      {...common}
      className={type === "json" ? "font-mono text-xs" : ""}
      placeholder={type === "json" ? "JSON" : ""}
      onChange={(event) => onText(event.target.value)}
    />
  );
}
