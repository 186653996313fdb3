/** What keys do on every page: `/` searches, `j` and `k` walk through rows, `g` and a letter goes to a page, `?` shows all of it. */
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useSession } from "../api/rights.ts";
import { Dialog, Kbd } from "../parts/controls.tsx";
import { pagesFor } from "./pageTable.ts";

/** How long after `g` the letter may come. */
const chordMs = 1_200;

export function Keyboard() {
  const [isHelpShown, setHelpShown] = useState(false);
  const navigate = useNavigate();
  const chordAt = useRef(0);
  const session = useSession();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector("dialog[open]") !== null) return;
      const page = pagesFor(session).find(({ key }) => key === event.key);
      if (page !== undefined && Date.now() - chordAt.current < chordMs) {
        chordAt.current = 0;
        event.preventDefault();
        return void navigate({ to: page.path });
      }
      switch (event.key) {
        case "g":
          chordAt.current = Date.now();
          return;
        case "?":
          return setHelpShown(true);
        case "/":
          event.preventDefault();
          return search(() => void navigate({ to: "/tasks" }));
        case "j":
          return moveFocus(1);
        case "k":
          return moveFocus(-1);
        default:
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [navigate, session]);
  return isHelpShown ? <Help onClose={() => setHelpShown(false)} /> : null;
}

/** Boxes take no letters. */
function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !/^(checkbox|radio)$/.test(target.type);
  return target instanceof HTMLElement && (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName));
}

/** The search of this page; where it has none, that of the tasks. */
function search(openTasks: () => void): void {
  const field = () => document.querySelector<HTMLInputElement>("[data-search]");
  const here = field();
  if (here !== null) return here.focus();
  openTasks();
  const look = (tries: number) => {
    const there = field();
    if (there !== null) there.focus();
    else if (tries > 0) requestAnimationFrame(() => look(tries - 1));
  };
  look(60);
}

function moveFocus(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  const within = document.activeElement?.closest("[role=row], tr") ?? null;
  const index = rows.findIndex((row) => row === document.activeElement || within?.contains(row) === true);
  const next = index < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, index + by));
  rows[next]?.focus();
  rows[next]?.scrollIntoView({ block: "nearest" });
}

function Help({ onClose }: { readonly onClose: () => void }) {
  const session = useSession();
  const keys: readonly (readonly [string, string])[] = [
    ["/", "search"],
    ["j  k", "next and previous row"],
    ["Enter", "open the row"],
    ["Esc", "close a dialog"],
    ...pagesFor(session).map(({ key, name }) => [`g ${key}`, name] as const),
    ["?", "this help"],
  ];
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2">
        {keys.map(([key, does]) => (
          <div key={key} className="contents">
            <dt className="flex gap-1">
              {key.split(/ +/).map((part) => (
                <Kbd key={part}>{part}</Kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
