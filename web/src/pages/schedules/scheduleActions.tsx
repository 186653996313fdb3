/** What can be done with a schedule, and what is asked before. */

import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { post, remove, segment } from "../../api/client.ts";
import type { ScheduleBackfilled, ScheduleView } from "../../api/schema.ts";
import { queries } from "../../api/session.ts";
import { Button, TextField } from "../../parts/controls.tsx";
import { counted } from "../../parts/counted.ts";
import { DialogForm } from "../../parts/dialogForm.tsx";
import { Problem } from "../../parts/surfaces.tsx";
import { localField } from "./draft.ts";
import { ScheduleDialog } from "./scheduleDialog.tsx";

interface ActionsProps {
  readonly schedule: ScheduleView;
  /** A sentence about what was done. */
  readonly onDone: (done: string | null) => void;
}

export function Actions({ schedule, onDone }: ActionsProps) {
  const { name, isPaused } = schedule;
  const [open, setOpen] = useState<"change" | "backfill" | "remove" | null>(null);
  const close = () => setOpen(null);
  const act = useMutation({
    mutationFn: (verb: "pause" | "resume" | "trigger") => post(`/v1/schedules/${segment(name)}/${verb}`),
    onSuccess: (_, verb) => {
      onDone(verb === "trigger" ? "A task was made, besides the ticks." : null);
      return queries.invalidateQueries();
    },
  });
  return (
    <>
      <Button disabled={act.isPending} onClick={() => act.mutate(isPaused ? "resume" : "pause")}>
        {isPaused ? "Resume" : "Pause"}
      </Button>
      <Button disabled={act.isPending} onClick={() => act.mutate("trigger")}>
        Trigger now
      </Button>
      <Button onClick={() => setOpen("change")}>Change …</Button>
      <Button onClick={() => setOpen("backfill")}>Backfill …</Button>
      <Button look="danger" onClick={() => setOpen("remove")}>
        Remove …
      </Button>
      {act.error === null ? null : <Problem error={act.error} />}
      {open === "change" ? <ScheduleDialog schedule={schedule} names={[]} onClose={close} /> : null}
      {open === "backfill" ? <BackfillDialog name={name} onClose={close} onDone={onDone} /> : null}
      {open === "remove" ? <RemoveDialog name={name} onClose={close} /> : null}
    </>
  );
}

interface DialogProps {
  readonly name: string;
  readonly onClose: () => void;
}

function RemoveDialog({ name, onClose }: DialogProps) {
  const navigate = useNavigate();
  const mutation = useMutation({
    mutationFn: () => remove(`/v1/schedules/${segment(name)}`),
    onSuccess: async () => {
      await navigate({ to: "/schedules", search: {}, replace: true });
      await queries.invalidateQueries();
      onClose();
    },
  });
  return (
    <DialogForm title={`Remove ${name}`} verb="Remove it" look="danger" mutation={mutation} onClose={onClose}>
      <p>It makes no more tasks. Those that it has made stay, also while they run.</p>
    </DialogForm>
  );
}

const dayMs = 86_400_000;

function BackfillDialog({ name, onClose, onDone }: DialogProps & Pick<ActionsProps, "onDone">) {
  const [from, setFrom] = useState(() => localField(Date.now() - dayMs));
  const [to, setTo] = useState(() => localField(Date.now()));
  const mutation = useMutation({
    mutationFn: () => backfill(name, new Date(from).getTime(), new Date(to).getTime()),
    onSuccess: async (made) => {
      await queries.invalidateQueries();
      onDone(madeText(made));
      onClose();
    },
  });
  return (
    <DialogForm title={`Make up for ticks of ${name}`} verb="Make the tasks" mutation={mutation} onClose={onClose}>
      <p>Each tick of that time that has made no task makes one now. To do so again makes none twice.</p>
      <TextField label="From" hint="in your time" type="datetime-local" required value={from} onText={setFrom} />
      <TextField label="To" hint="in your time" type="datetime-local" required value={to} onText={setTo} />
    </DialogForm>
  );
}

/** The master makes so many tasks in one call and says where to go on. */
async function backfill(name: string, first: number, to: number): Promise<number> {
  let made = 0;
  for (let from: number | null = first; from !== null; ) {
    const path = `/v1/schedules/${segment(name)}/backfill`;
    const answer: ScheduleBackfilled = await post<ScheduleBackfilled>(path, { from, to });
    made += answer.ticks.length;
    from = answer.nextFrom;
  }
  return made;
}

function madeText(count: number): string {
  if (count === 0) return "No tick of that time had made no task.";
  return `${counted(count, "task was", "tasks were")} made.`;
}
