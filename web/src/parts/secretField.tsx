/** A field for a password or a token, with its label. */
import type { ReactNode } from "react";
import { Field, Labelled } from "./controls.tsx";

interface SecretFieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  /** Which of a browser's remembered passwords belongs here. */
  readonly autoComplete: "current-password" | "new-password" | "off";
  readonly hasFocus?: boolean;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function SecretField({ label, hint, autoComplete, hasFocus = false, value, onChange }: SecretFieldProps) {
  return (
    <Labelled label={label} hint={hint}>
      {(id, marks) => (
        <Field
          id={id}
          {...marks}
          type="password"
          autoComplete={autoComplete}
          required
          autoFocus={hasFocus}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Labelled>
  );
}
