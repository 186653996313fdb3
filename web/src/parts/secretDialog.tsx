/** Shows a secret once: it cannot be read again. */
import type { ReactNode } from "react";
import { Button, Dialog } from "./controls.tsx";
import { useHeldSignIn } from "./heldSignIn.ts";
import { CopyButton, Note } from "./surfaces.tsx";

interface SecretDialogProps {
  readonly title: string;
  readonly secret: string;
  /** What Outlast itself keeps of it. */
  readonly kept?: string;
  readonly children: ReactNode;
  readonly onClose: () => void;
}

export function SecretDialog({
  title,
  secret,
  kept = "Outlast keeps a hash of it.",
  children,
  onClose,
}: SecretDialogProps) {
  useHeldSignIn(true);
  return (
    <Dialog title={title} onClose={onClose} isFirm>
      <div className="grid grid-cols-1 gap-4">
        <p className="flex items-center gap-2 rounded-md border border-line bg-raised px-3 py-2">
          <code className="min-w-0 font-mono text-xs break-all" data-secret>
            {secret}
          </code>
          <span className="ml-auto">
            <CopyButton text={secret} what="secret" />
          </span>
        </p>
        <Note tone="warn">It is shown only now. {kept}</Note>
        <p className="text-soft">{children}</p>
        <div className="flex justify-end">
          <Button look="primary" onClick={onClose}>
            I have it
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
