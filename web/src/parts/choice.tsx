/** A field in which one of a few values is chosen. */
import type { ReactNode } from "react";
import { Labelled, Select } from "./controls.tsx";

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly values: readonly Value[];
  readonly textOf?: (value: Value) => ReactNode;
  readonly onChange: (value: Value) => void;
}

export function Choice<Value extends string>({
  label,
  value,
  values,
  textOf = (each) => each,
  onChange,
}: ChoiceProps<Value>) {
  return (
    <Labelled label={label}>
      {(id) => (
        <Select id={id} value={value} onChange={(event) => onChange(event.target.value as Value)}>
          {values.map((each) => (
            <option key={each} value={each}>
              {textOf(each)}
            </option>
          ))}
        </Select>
      )}
    </Labelled>
  );
}
