/** Every page of the navigation: its name, path, icon and key. */
import type { Permission } from "../api/rights.ts";
import type { Session } from "../api/schema.ts";
import type { IconName } from "./icons.tsx";

export interface PageEntry {
  readonly name: string;
  readonly path:
    | "/"
    | "/tasks"
    | "/workers"
    | "/queues"
    | "/timeline"
    | "/schedules"
    | "/templates"
    | "/webhooks"
    | "/users"
    | "/tokens"
    | "/audit";
  readonly icon: IconName;
  /** Pressed after `g`. */
  readonly key: string;
  /** Who may see it; everybody if left out. */
  readonly needs?: Permission;
}

const pageTable: readonly PageEntry[] = [
  { name: "Overview", path: "/", icon: "overview", key: "o" },
  { name: "Tasks", path: "/tasks", icon: "tasks", key: "t" },
  { name: "Workers", path: "/workers", icon: "workers", key: "w" },
  { name: "Queues", path: "/queues", icon: "queues", key: "q" },
  { name: "Timeline", path: "/timeline", icon: "timeline", key: "l" },
  { name: "Schedules", path: "/schedules", icon: "schedules", key: "s" },
  { name: "Templates", path: "/templates", icon: "templates", key: "e" },
  { name: "Webhooks", path: "/webhooks", icon: "webhooks", key: "h", needs: "operate" },
  { name: "Users", path: "/users", icon: "people", key: "u", needs: "administer" },
  { name: "Tokens", path: "/tokens", icon: "key", key: "n", needs: "administer" },
  { name: "Audit", path: "/audit", icon: "audit", key: "a", needs: "administer" },
];

/** The pages that there are for whoever is signed in. */
export function pagesFor(session: Session | undefined): readonly PageEntry[] {
  return pageTable.filter(({ needs }) => needs === undefined || session?.may.includes(needs) === true);
}
