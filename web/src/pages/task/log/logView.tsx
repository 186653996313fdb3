/** The log of a task: live, with colours, search, and as many lines as there are. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, useEffect, useMemo, useRef, useState } from "react";
import { segment, urlOf } from "../../../api/client.ts";
import { Button, Field } from "../../../parts/controls.tsx";
import { counted } from "../../../parts/counted.ts";
import { Card } from "../../../parts/surfaces.tsx";
import type { Piece } from "./ansi.ts";
import type { LogLine } from "./logLines.ts";
import { type FollowedLog, useLog } from "./useLog.ts";

const lineHeight = 20;
/** So that a log does not move sideways while its first lines come. */
const digitsMin = 3;
/** So near to the end counts as being there. */
const endSlack = 30;

interface LogViewProps {
  readonly task: string;
  /** From this attempt on. */
  readonly attempt: number;
  /** Attempts up to this one are from before the task was retried; 0 if none is. */
  readonly before: number;
}

export function LogView({ task, attempt, before }: LogViewProps) {
  const followed = useLog(task, attempt);
  const { log, version, isComplete, isCut } = followed;
  const [isFollowing, setFollowing] = useState(true);
  const [search, setSearch] = useState("");
  const [place, setPlace] = useState(0);
  const found = useMemo(() => matches(log.lines, search), [log.lines, search, version]);
  const index = Math.min(place, found.length - 1);
  return (
    <Card
      title="Log"
      note={[
        isComplete ? "complete" : isCut ? "connection lost, continues by itself" : "live",
        ...(attempt <= before ? [`from attempt ${attempt}, before the retry`] : []),
      ].join(" · ")}
      isFlush
      actions={
        <>
          <Search
            text={search}
            count={found.length}
            index={index}
            onText={(text) => {
              setSearch(text);
              setPlace(0);
              if (text !== "") setFollowing(false);
            }}
            onStep={(by) => {
              setFollowing(false);
              setPlace(found.length === 0 ? 0 : (index + by + found.length) % found.length);
            }}
          />
          {/* Of a log that is complete, nothing follows. */}
          {isComplete ? null : (
            <Button
              aria-pressed={isFollowing}
              onClick={() => setFollowing(!isFollowing)}
              look={isFollowing ? "primary" : "plain"}
            >
              {isFollowing ? "Following" : "Follow"}
            </Button>
          )}
          <a
            href={urlOf(`/v1/tasks/${segment(task)}/logs`, { attempt })}
            target="_blank"
            rel="noreferrer"
            className="px-1 text-accent hover:underline"
          >
            Raw
          </a>
        </>
      }
    >
      {log.dropped > 0 ? (
        <p className="px-4 py-1 text-xs text-muted">
          {counted(log.dropped, "older line is", "older lines are")} not shown. “Raw” has{" "}
          {log.dropped === 1 ? "it" : "them"}.
        </p>
      ) : null}
      <Lines
        followed={followed}
        before={before}
        search={search}
        current={search === "" ? null : (found[index] ?? null)}
        isFollowing={isFollowing}
        onFollow={setFollowing}
      />
    </Card>
  );
}

interface SearchProps {
  readonly text: string;
  /** Lines that match, and which of them is shown. */
  readonly count: number;
  readonly index: number;
  readonly onText: (text: string) => void;
  readonly onStep: (by: 1 | -1) => void;
}

function Search({ text, count, index, onText, onStep }: SearchProps) {
  return (
    <form
      role="search"
      className="flex items-center gap-1"
      onSubmit={(event) => {
        event.preventDefault();
        onStep(1);
      }}
    >
      <Field
        data-search
        type="search"
        aria-label="Search the log"
        placeholder="Search"
        value={text}
        onChange={(event) => onText(event.target.value)}
        className="w-32 sm:w-44"
      />
      {text === "" ? null : (
        <>
          <span className="text-xs whitespace-nowrap text-muted" aria-live="polite">
            {count === 0 ? "none" : `${index + 1} of ${count}`}
          </span>
          <Button look="quiet" aria-label="Previous match" onClick={() => onStep(-1)}>
            ↑
          </Button>
          <Button look="quiet" aria-label="Next match" onClick={() => onStep(1)}>
            ↓
          </Button>
        </>
      )}
    </form>
  );
}

interface LinesProps {
  readonly followed: FollowedLog;
  readonly before: number;
  readonly search: string;
  /** The line that is looked at; null if none. */
  readonly current: number | null;
  readonly isFollowing: boolean;
  readonly onFollow: (isFollowing: boolean) => void;
}

function Lines({ followed: { log, version, isComplete }, before, search, current, isFollowing, onFollow }: LinesProps) {
  const box = useRef<HTMLDivElement>(null);
  const { lines } = log;
  const isEmpty = !lines.some(({ kind }) => kind !== "attempt");
  // No number is longer: they begin anew with each attempt.
  const digits = Math.max(digitsMin, String(log.dropped + lines.length).length);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => lineHeight,
    overscan: 20,
  });
  useEffect(() => {
    if (isFollowing && lines.length > 0) rows.scrollToIndex(lines.length - 1, { align: "end" });
  }, [isFollowing, version, lines.length, rows]);
  useEffect(() => {
    if (current !== null) rows.scrollToIndex(current, { align: "center" });
  }, [current, rows]);
  return (
    <div
      ref={box}
      tabIndex={0}
      role="log"
      aria-label="Log"
      className="max-h-[28rem] overflow-auto bg-raised/40 py-2 font-mono text-xs"
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        const isAtEnd = scrollHeight - scrollTop - clientHeight < endSlack;
        if (isAtEnd !== isFollowing && !isComplete && search === "") onFollow(isAtEnd);
      }}
    >
      <div className="relative min-w-full" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const line = lines[index];
          return line === undefined ? null : (
            <div
              key={index}
              className="absolute top-0 left-0 h-5 w-max min-w-full"
              style={{ transform: `translateY(${start}px)` }}
            >
              <Line line={line} before={before} digits={digits} search={search} isCurrent={index === current} />
            </div>
          );
        })}
      </div>
      {isEmpty ? (
        <p className="px-4 text-muted">{isComplete ? "The attempt wrote nothing." : "Nothing has been written yet."}</p>
      ) : null}
    </div>
  );
}

function matches(lines: readonly LogLine[], search: string): readonly number[] {
  if (search === "") return [];
  const wanted = search.toLowerCase();
  return lines.flatMap((line, index) =>
    line.kind === "text" && line.text.toLowerCase().includes(wanted) ? [index] : [],
  );
}

interface LineProps {
  readonly line: LogLine;
  readonly before: number;
  /** So wide numbers are. */
  readonly digits: number;
  readonly search: string;
  readonly isCurrent: boolean;
}

function Line({ line, before, digits, search, isCurrent }: LineProps) {
  if (line.kind === "attempt") {
    return (
      <div className="flex items-center gap-3 px-4 font-sans text-2xs font-medium text-muted">
        Attempt {line.attempt}
        {line.attempt <= before ? " · before the retry" : ""}
        <span aria-hidden="true" className="h-px w-24 bg-line-strong/60" />
      </div>
    );
  }
  if (line.kind === "note") return <div className="px-4 font-sans text-2xs text-retrying">{line.text}</div>;
  return (
    <div className={`flex gap-3 px-4 leading-5 ${isCurrent ? "bg-retrying/20" : ""}`}>
      <span
        aria-hidden="true"
        style={{ minWidth: `${digits}ch` }}
        className="shrink-0 text-right text-muted select-none"
      >
        {line.number}
      </span>
      <span className="whitespace-pre">
        {line.pieces.map((piece, index) => (
          <Text key={index} piece={piece} search={search} />
        ))}
      </span>
    </div>
  );
}

function Text({ piece, search }: { readonly piece: Piece; readonly search: string }) {
  return <span style={styleOf(piece)}>{search === "" ? piece.text : marked(piece.text, search)}</span>;
}

/** The text with what was searched for marked. */
function marked(text: string, search: string) {
  const wanted = search.toLowerCase();
  const lower = text.toLowerCase();
  const parts = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at));
    parts.push(
      <mark key={at} className="rounded-xs bg-retrying/40 text-inherit">
        {text.slice(at, at + wanted.length)}
      </mark>,
    );
    from = at + wanted.length;
  }
  return [...parts, text.slice(from)];
}

function styleOf({ colour, background, isBold, isFaint, isItalic, isUnderlined }: Piece): CSSProperties {
  return {
    ...(colour !== undefined && { color: colour }),
    ...(background !== undefined && { backgroundColor: background }),
    ...(isBold === true && { fontWeight: 700 }),
    ...(isFaint === true && { opacity: 0.75 }),
    ...(isItalic === true && { fontStyle: "italic" }),
    ...(isUnderlined === true && { textDecoration: "underline" }),
  };
}
