/** Any JSON value as a tree that opens and closes. Text stays text. */
import { useState } from "react";

const openDepthUsual = 2;
/** Entries of one object or list that are shown at a time. */
const pageSize = 100;
/** Of a longer text, so much is shown at first. */
const textShown = 600;

interface JsonTreeProps {
  readonly value: unknown;
  /** So many levels are open at first. */
  readonly openDepth?: number;
}

export function JsonTree({ value, openDepth = openDepthUsual }: JsonTreeProps) {
  return (
    <div className="overflow-x-auto font-mono text-xs leading-6">
      <Node value={value} name={null} depth={0} openDepth={openDepth} />
    </div>
  );
}

interface NodeProps {
  readonly value: unknown;
  readonly name: string | null;
  readonly depth: number;
  readonly openDepth: number;
}

function Node({ value, name, ...depths }: NodeProps) {
  if (typeof value !== "object" || value === null) {
    return (
      <div className="pl-4">
        <Name name={name} />
        <Scalar value={value} />
      </div>
    );
  }
  return <Branch value={value} name={name} {...depths} />;
}

function Branch({ value, name, depth, openDepth }: NodeProps & { readonly value: object }) {
  const [isOpen, setOpen] = useState(depth < openDepth);
  const [shown, setShown] = useState(pageSize);
  const entries: readonly [string, unknown][] = Object.entries(value);
  const isList = Array.isArray(value);
  const brackets = isList ? "[]" : "{}";
  if (entries.length === 0) {
    return (
      <div className="pl-4">
        <Name name={name} />
        <span className="text-muted">{brackets}</span>
      </div>
    );
  }
  return (
    <div>
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className="flex w-full text-left hover:bg-hover"
      >
        <span aria-hidden="true" className="w-4 shrink-0 text-muted">
          {isOpen ? "▾" : "▸"}
        </span>
        <span>
          <Name name={name} />
          <span className="whitespace-nowrap text-muted">
            {isOpen ? brackets[0] : `${brackets[0]} ${entries.length} ${isList ? "items" : "fields"} ${brackets[1]}`}
          </span>
        </span>
      </button>
      {isOpen ? (
        <>
          <div className="ml-1.5 border-l border-line pl-2">
            {entries.slice(0, shown).map(([key, child]) => (
              <Node key={key} value={child} name={key} depth={depth + 1} openDepth={openDepth} />
            ))}
            {entries.length > shown ? (
              <button
                type="button"
                onClick={() => setShown(shown + pageSize)}
                className="pl-4 text-accent hover:underline"
              >
                {entries.length - shown} more
              </button>
            ) : null}
          </div>
          <div className="pl-4 text-muted">{brackets[1]}</div>
        </>
      ) : null}
    </div>
  );
}

function Name({ name }: { readonly name: string | null }) {
  if (name === null) return null;
  return (
    <>
      <span className="text-waiting">{name}</span>
      <span className="text-muted">: </span>
    </>
  );
}

function Scalar({ value }: { readonly value: unknown }) {
  if (typeof value === "string") return <Text text={value} />;
  if (typeof value === "number") return <span className="text-running">{value}</span>;
  return <span className="text-retrying">{String(value)}</span>;
}

const number = new Intl.NumberFormat();

/** A program in an input would make its page longer than anybody scrolls. */
function Text({ text }: { readonly text: string }) {
  const [isWhole, setWhole] = useState(false);
  // A character of two halves is not cut in the middle.
  const shown = isWhole || text.length <= textShown ? text : text.slice(0, textShown).replace(/[\uD800-\uDBFF]$/, "");
  return (
    <>
      <span className="break-words whitespace-pre-wrap text-success">
        {JSON.stringify(shown)}
        {shown === text ? "" : "…"}
      </span>
      {text.length <= textShown ? null : (
        <button type="button" onClick={() => setWhole(!isWhole)} className="ml-2 font-sans text-accent hover:underline">
          {isWhole ? "Show less" : `Show all ${number.format(text.length)} characters`}
        </button>
      )}
    </>
  );
}
