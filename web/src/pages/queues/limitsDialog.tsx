/** Asks for the limits of a queue: how many of its tasks run at a time, and how many are started in a time. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { post, segment } from "../../api/client.ts";
import type { Queue } from "../../api/schema.ts";
import { queries } from "../../api/session.ts";
import { TextField } from "../../parts/controls.tsx";
import { DialogForm } from "../../parts/dialogForm.tsx";
import { limitFields, limitsOf } from "./limits.ts";

export function LimitsDialog({ queue, onClose }: { readonly queue: Queue; readonly onClose: () => void }) {
  const [fields, setFields] = useState(() => limitFields(queue));
  const set = (name: keyof typeof fields) => (text: string) => setFields({ ...fields, [name]: text });
  const save = useMutation({
    mutationFn: async () => post(`/v1/queues/${segment(queue.name)}/limits`, limitsOf(fields)),
    onSuccess: async () => {
      await queries.invalidateQueries();
      onClose();
    },
  });
  return (
    <DialogForm title={`Limit ${queue.name}`} verb="Save" mutation={save} onClose={onClose}>
      <TextField
        label="Running at a time"
        hint="A number; empty for no limit. What runs already goes on."
        inputMode="numeric"
        autoComplete="off"
        value={fields.concurrencyMax}
        onText={set("concurrencyMax")}
      />
      <div className="grid grid-cols-2 items-start gap-3">
        <TextField
          label="Started"
          hint="A number; empty for no limit."
          inputMode="numeric"
          autoComplete="off"
          value={fields.count}
          onText={set("count")}
        />
        <TextField label="In each" hint="1s, 15m, 2h, 1d" autoComplete="off" value={fields.per} onText={set("per")} />
      </div>
    </DialogForm>
  );
}
