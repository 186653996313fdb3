/** A field for each variable of a template. */
import { Field, type FieldMarks, Labelled, Select } from "../../parts/controls.tsx";
import { mistakeOf, type Texts, type Variable, type Variables } from "./variables.ts";

interface FieldsProps {
  readonly variables: Variables;
  readonly texts: Texts;
  readonly onTexts: (texts: Texts) => void;
}

export function VariableFields({ variables, texts, onTexts }: FieldsProps) {
  if (Object.keys(variables).length === 0) return <p className="text-muted">This template has no variables.</p>;
  return Object.entries(variables).map(([name, variable]) => (
    <Labelled key={name} label={name} hint={hintOf(variable)} mistake={mistakeOf(variable, texts[name] ?? "")}>
      {(id, marks) => (
        <ValueInput
          id={id}
          marks={marks}
          variable={variable}
          isNeeded={variable.default === undefined}
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
  readonly marks: FieldMarks;
  readonly variable: Variable;
  /** Whether it must hold something. */
  readonly isNeeded: boolean;
  readonly text: string;
  readonly onText: (text: string) => void;
}

/** A field for one value. */
export function ValueInput({ id, marks, variable, isNeeded, text, onText }: InputProps) {
  const { type, minimum, maximum, enum: allowed } = variable;
  const common = { id, value: text, required: isNeeded, ...marks };
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
