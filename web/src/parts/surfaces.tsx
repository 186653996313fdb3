/** What pages are put together from: headers, cards, facts, and what is shown where there is nothing or something is wrong. */
import { type ReactNode, useEffect, useState } from "react";
import { ApiError, Unanswered } from "../api/client.ts";
import { type Permission, useMay } from "../api/rights.ts";
import { UnreadableField } from "./fieldTexts.ts";
import { IconFrame } from "./iconFrame.tsx";

export function PageHeader({
  title,
  note,
  children,
}: {
  readonly title: ReactNode;
  readonly note?: ReactNode;
  readonly children?: ReactNode;
}) {
  return (
    <header className="mb-4 flex min-h-8 flex-wrap items-center gap-x-3 gap-y-2">
      <h1 className="min-w-0 text-lg font-semibold tracking-[-0.01em] break-words">{title}</h1>
      {note === undefined ? null : <span className="text-muted">{note}</span>}
      <div className="ml-auto flex flex-wrap items-center justify-end gap-2">{children}</div>
    </header>
  );
}

interface CardProps {
  readonly title?: ReactNode;
  readonly note?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
  /** True for content that reaches the card's edges, such as a table. */
  readonly isFlush?: boolean;
}

export function Card({ title, note, actions, children, className = "", isFlush = false }: CardProps) {
  return (
    <section className={`card min-w-0 overflow-hidden ${className}`}>
      {title === undefined ? null : (
        <div className="flex min-h-11 flex-wrap items-center gap-x-2 gap-y-1 border-b border-line px-4 py-1.5">
          <h2 className="font-semibold">{title}</h2>
          {note === undefined ? null : <span className="text-xs text-muted">{note}</span>}
          <div className="ml-auto flex flex-wrap items-center justify-end gap-1.5">{actions}</div>
        </div>
      )}
      <div className={isFlush ? "" : "p-4"}>{children}</div>
    </section>
  );
}

interface EmptyProps {
  readonly title: string;
  readonly command?: string;
  /** What the command asks for: it is not offered to others. */
  readonly needs?: Permission;
  readonly children?: ReactNode;
}

/** Says what is missing, and which command would bring it. */
export function Empty({ title, command, needs = "submit", children }: EmptyProps) {
  return (
    <div className="grid grid-cols-1 justify-items-center gap-2 px-4 py-10 text-center">
      <p className="font-medium text-soft">{title}</p>
      {children === undefined ? null : <p className="max-w-md text-muted">{children}</p>}
      {command === undefined ? null : <CommandFor needs={needs} text={command} />}
    </div>
  );
}

/** A command that not everybody may call. */
export function CommandFor({ needs, text }: { readonly needs: Permission; readonly text: string }) {
  return useMay(needs) ? <Command text={text} /> : null;
}

/** A command to copy. */
export function Command({ text }: { readonly text: string }) {
  return (
    <span className="inline-flex max-w-full items-center gap-1 rounded-md border border-line bg-raised py-1 pr-1 pl-3 font-mono text-xs">
      <code className="overflow-x-auto whitespace-nowrap">{text}</code>
      <CopyButton text={text} what="command" />
    </span>
  );
}

/** Browsers lend the clipboard only to pages that came by TLS or from this machine; from others they copy what is selected. */
async function copy(text: string, button: HTMLElement): Promise<void> {
  const { clipboard } = navigator as { readonly clipboard?: Clipboard };
  if (clipboard !== undefined) return clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  // Beside the button: while a dialog is open, nothing outside of it can be selected.
  button.after(field);
  field.select();
  // oxlint-disable-next-line typescript/no-deprecated -- there is nothing else on such pages
  document.execCommand("copy");
  field.remove();
  button.focus();
}

export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <button
      type="button"
      aria-label={`Copy the ${what}`}
      title={`Copy the ${what}`}
      onClick={({ currentTarget }) => void copy(text, currentTarget).then(() => setCopied(true))}
      className="grid size-6 shrink-0 place-items-center rounded text-muted hover:bg-hover hover:text-text"
    >
      <IconFrame size={13} weight={1.5}>
        {isCopied ? (
          <path d="m3.5 8.5 3 3 6-7" />
        ) : (
          <>
            <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
            <path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" />
          </>
        )}
      </IconFrame>
    </button>
  );
}

export function Facts({ children }: { readonly children: ReactNode }) {
  return (
    <dl className="grid grid-flow-row-dense grid-cols-[repeat(auto-fill,minmax(8.5rem,1fr))] gap-x-6 gap-y-3">
      {children}
    </dl>
  );
}

interface FactProps {
  readonly name: string;
  /** True for a sentence: it takes two columns where there are two. */
  readonly isLong?: boolean;
  readonly children: ReactNode;
}

export function Fact({ name, isLong = false, children }: FactProps) {
  return (
    <div className={`min-w-0 ${isLong ? "min-[23rem]:col-span-2" : ""}`}>
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="break-words">{children}</dd>
    </div>
  );
}

/** Says what is being waited for, once it takes longer than a moment. */
export function Loading({ what }: { readonly what: string }) {
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 400);
    return () => clearTimeout(timer);
  }, []);
  return (
    <p role="status" className="px-4 py-10 text-center text-muted">
      {isSlow ? `Loading ${what} …` : " "}
    </p>
  );
}

interface ProblemProps {
  readonly error: unknown;
  /** False for what somebody asked for once. */
  readonly isTriedAgain?: boolean;
}

export function Problem({ error, isTriedAgain = true }: ProblemProps) {
  const [text, hint] = problemText(error, isTriedAgain);
  return (
    <div role="alert" className="rounded-lg border border-failed/40 bg-failed/8 px-4 py-3">
      <p className="font-medium text-failed">{text}</p>
      {hint === null ? null : <p className="text-soft">{hint}</p>}
    </div>
  );
}

function problemText(error: unknown, isTriedAgain: boolean): readonly [string, string | null] {
  if (error instanceof ApiError) return [error.message, error.hint];
  if (error instanceof UnreadableField) return [error.message, null];
  if (error instanceof Unanswered) return [error.message, "It may have been done or not: look, and try again."];
  return ["The master cannot be reached.", isTriedAgain ? "This page tries again by itself." : null];
}

export function Note({ tone, children }: { readonly tone: "warn" | "bad" | "info"; readonly children: ReactNode }) {
  const look = { warn: "border-l-retrying", bad: "border-l-failed", info: "border-l-accent" }[tone];
  return <div className={`rounded-lg border border-l-4 border-line bg-surface px-3 py-2 ${look}`}>{children}</div>;
}

/** A share of a whole as a bar. */
export function Meter({
  share,
  label,
  className = "bg-accent-fill",
}: {
  readonly share: number;
  readonly label: string;
  readonly className?: string;
}) {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <span
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className="block h-1.5 w-full min-w-12 overflow-hidden rounded-full bg-raised"
    >
      <span className={`block h-full rounded-full ${className}`} style={{ width: `${percent}%` }} />
    </span>
  );
}
