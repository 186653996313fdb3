/** Follows the log of a task over all its attempts, from the one that is asked for; a cut connection resumes where it was. */
import { useEffect, useRef, useState } from "react";
import { missingOutput } from "../../../../../src/model/missingOutput.ts";
import { segment, urlOf } from "../../../api/client.ts";
import { followStream } from "../../../api/eventStream.ts";
import type { LogEvent } from "../../../api/schema.ts";
import { LogLines } from "./logLines.ts";

export interface FollowedLog {
  readonly log: LogLines;
  /** Changes whenever the log has. */
  readonly version: number;
  /** The task has ended, and this is all of it. */
  readonly isComplete: boolean;
  readonly isCut: boolean;
}

export function useLog(task: string, attempt: number): FollowedLog {
  const log = useRef(new LogLines());
  const [version, setVersion] = useState(0);
  const [isComplete, setComplete] = useState(false);
  const [isCut, setCut] = useState(false);

  useEffect(() => {
    const lines = new LogLines();
    log.current = lines;
    setComplete(false);
    setCut(false);
    const abort = new AbortController();
    let isOver = false;
    let current = attempt;
    let frame = 0;
    // Many pieces of a second are drawn once per frame.
    const draw = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        setVersion((before) => before + 1);
      });
    };
    draw();
    lines.startAttempt(attempt);
    const onLog = (event: LogEvent) => {
      if (event.attempt !== current) {
        current = event.attempt;
        lines.startAttempt(current);
      }
      lines.add(event.text ?? fromBase64(event.base64 ?? ""));
      if (event.isTruncated === true) lines.note("The attempt wrote more than is kept. The log ends here.");
    };
    void followStream(
      {
        url: urlOf(`/v1/tasks/${segment(task)}/logs`, { follow: true, attempt }),
        signal: abort.signal,
        onOpen: () => setCut(false),
        onCut: () => setCut(true),
        onEvent: ({ event, data }) => {
          if (event === "log") onLog(JSON.parse(data) as LogEvent);
          if (event === "missing") lines.note(missingText(JSON.parse(data) as { bytes?: number }));
          if (event === "end") {
            isOver = true;
            setComplete(true);
          }
          draw();
        },
      },
      () => isOver,
    );
    return () => {
      abort.abort();
      cancelAnimationFrame(frame);
    };
  }, [task, attempt]);

  return { log: log.current, version, isComplete, isCut };
}

function missingText({ bytes }: { readonly bytes?: number }): string {
  const text = missingOutput(bytes ?? null);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
