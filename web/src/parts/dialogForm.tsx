/** A dialog that asks, does what was asked for, and shows why it could not. */
import type { ReactNode } from "react";
import { Button, Dialog } from "./controls.tsx";
import { useHeldSignIn } from "./heldSignIn.ts";
import { Problem } from "./surfaces.tsx";

interface DialogFormProps {
  readonly title: string;
  /** Of the button that does it. */
  readonly verb: string;
  readonly isWide?: boolean;
  readonly look?: "primary" | "danger";
  readonly mutation: { readonly mutate: () => void; readonly isPending: boolean; readonly error: Error | null };
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function DialogForm({
  title,
  verb,
  isWide = false,
  look = "primary",
  mutation,
  onClose,
  children,
}: DialogFormProps) {
  // What it makes may be a secret, or close a cluster that was open until now.
  useHeldSignIn(mutation.isPending);
  return (
    <Dialog title={title} onClose={onClose} isWide={isWide}>
      <form
        className="grid grid-cols-1 gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          mutation.mutate();
        }}
      >
        {children}
        {mutation.error === null ? null : <Problem error={mutation.error} />}
        <div className="flex justify-end gap-2">
          <Button type="submit" look={look} disabled={mutation.isPending}>
            {verb}
          </Button>
          <Button onClick={onClose}>Leave it</Button>
        </div>
      </form>
    </Dialog>
  );
}
