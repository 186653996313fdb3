/** Asks before a template is removed, and says what stays. */
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { remove, segment } from "../../api/client.ts";
import { queries } from "../../api/session.ts";
import { DialogForm } from "../../parts/dialogForm.tsx";

interface DialogProps {
  readonly name: string;
  readonly onClose: () => void;
}

export function RemoveDialog({ name, onClose }: DialogProps) {
  const navigate = useNavigate();
  const mutation = useMutation({
    mutationFn: () => remove(`/v1/templates/${segment(name)}`),
    onSuccess: async () => {
      await navigate({ to: "/templates", search: {}, replace: true });
      await queries.invalidateQueries();
      onClose();
    },
  });
  return (
    <DialogForm title={`Remove ${name}`} verb="Remove it" look="danger" mutation={mutation} onClose={onClose}>
      <p>
        Nobody can run it any more. The tasks that were made from it stay, also while they run, and schedules that were
        put with it go on. A template that is put under this name later goes on counting versions.
      </p>
    </DialogForm>
  );
}
