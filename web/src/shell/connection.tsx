/** Whether this page hears from its master, and what to do where it does not. */
import { useQuery } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { mastersQuery, statusQuery } from "../api/queries.ts";
import { live } from "../api/session.ts";
import { Lasted } from "../parts/time.tsx";

export function useLive() {
  return useSyncExternalStore(live.subscribe, live.state);
}

/** Shown on every page while the connection is lost. */
export function LostConnection() {
  const state = useLive();
  const { data } = useQuery({ ...mastersQuery, enabled: state.kind !== "lost" });
  if (state.kind !== "lost") return null;
  const others = (data?.masters ?? []).filter(({ address }) => !sameHost(address));
  return (
    <div
      role="alert"
      className="sticky top-0 z-20 flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-retrying/40 bg-surface px-4 py-2 shadow-sm"
    >
      <span aria-hidden="true" className="breathing size-2 rounded-full bg-retrying" />
      <span className="font-medium">Connection lost</span>
      <span className="text-soft">
        for <Lasted from={state.since} />. What you see is the last that is known; it continues by itself, with nothing
        missed.
      </span>
      <button type="button" onClick={() => live.retry()} className="font-medium text-accent hover:underline">
        Try now
      </button>
      {others.map(({ address, name }) => (
        <a key={address} href={address} className="text-accent hover:underline">
          Open {name}
        </a>
      ))}
    </div>
  );
}

function sameHost(address: string): boolean {
  return URL.canParse(address) && new URL(address).host === location.host;
}

const words = {
  off: "Signed out",
  connecting: "Connecting …",
  live: "Live",
  hidden: "Paused",
  lost: "Connection lost",
} as const;

/** One line at the foot of the navigation. */
export function ConnectionState() {
  const { kind } = useLive();
  const { data } = useQuery(statusQuery);
  const colour = {
    off: "bg-created",
    connecting: "bg-created",
    live: "bg-success",
    hidden: "bg-created",
    lost: "bg-retrying",
  }[kind];
  return (
    <div className="flex min-w-0 items-center gap-2 text-xs text-muted" aria-live="polite">
      <span aria-hidden="true" className={`size-2 shrink-0 rounded-full ${colour}`} />
      <span className="font-medium text-soft">{words[kind]}</span>
      {data === undefined ? null : (
        <span className="truncate" title={`${data.name}, ${data.role}, epoch ${data.epoch}`}>
          {data.name} · {data.role}
        </span>
      )}
    </div>
  );
}
