/** The frame around every page: navigation at the side, or at the top where there is little room. */
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useSession } from "../api/rights.ts";
import { IconFrame } from "../parts/iconFrame.tsx";
import { Logo } from "../parts/logo.tsx";
import { ConnectionState, LostConnection } from "./connection.tsx";
import { Icon } from "./icons.tsx";
import { Keyboard } from "./keyboard.tsx";
import { pagesFor } from "./pageTable.ts";
import { ThemeButton } from "./theme.tsx";
import { SeenQueues, Who } from "./who.tsx";

export function Layout() {
  const [isOpen, setOpen] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const session = useSession();
  useEffect(() => setOpen(false), [path]);
  return (
    <div className="min-h-dvh md:grid md:grid-cols-[13.5rem_minmax(0,1fr)]">
      <a
        href="#content"
        className="sr-only z-30 rounded bg-surface px-3 py-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the content
      </a>
      <header className="border-line bg-surface max-md:border-b md:sticky md:top-0 md:flex md:h-dvh md:flex-col md:border-r">
        <div className="flex h-12 items-center gap-2 px-4">
          <Logo />
          <Link to="/" className="text-[0.9375rem] font-semibold tracking-[-0.01em]">
            Outlast
          </Link>
          <div className="ml-auto flex items-center gap-1">
            <ThemeButton />
            <button
              type="button"
              aria-expanded={isOpen}
              aria-controls="navigation"
              onClick={() => setOpen(!isOpen)}
              className="grid size-9 place-items-center rounded-md text-soft hover:bg-hover md:hidden"
            >
              <span className="sr-only">Menu</span>
              <IconFrame size={18} weight={1.5}>
                <path d={isOpen ? "m4 4 8 8M12 4l-8 8" : "M2.5 4.5h11M2.5 8h11M2.5 11.5h11"} />
              </IconFrame>
            </button>
          </div>
        </div>
        <nav
          id="navigation"
          aria-label="Pages"
          className={`px-2 pb-3 md:block md:flex-1 md:overflow-y-auto md:pt-2 ${isOpen ? "" : "max-md:hidden"}`}
        >
          <ul className="grid gap-0.5">
            {pagesFor(session).map(({ name, path: to, icon }) => (
              <li key={to}>
                <Link
                  to={to}
                  activeOptions={{ exact: to === "/", includeSearch: false }}
                  className="flex h-8 items-center gap-2.5 rounded-md px-2 font-medium text-soft hover:bg-hover hover:text-text max-md:h-10 data-[status=active]:bg-accent-wash data-[status=active]:text-accent"
                >
                  <Icon name={icon} />
                  {name}
                </Link>
              </li>
            ))}
          </ul>
          <div className="mt-2 border-t border-line px-2 pt-2 md:hidden">
            <Who />
          </div>
        </nav>
        <div className="grid gap-2 border-line px-4 py-2.5 md:border-t max-md:hidden">
          <Who />
          <ConnectionState />
        </div>
      </header>
      <div className="min-w-0">
        <LostConnection />
        <main id="content" tabIndex={-1} className="mx-auto max-w-[96rem] px-4 py-5 outline-none md:px-7">
          <SeenQueues />
          <Outlet />
        </main>
      </div>
      <Keyboard />
    </div>
  );
}
