/** Every page of the navigation: its name, path, icon and key. */
import type { IconName } from "./icons.tsx";

export interface PageEntry {
  readonly name: string;
  readonly path: "/" | "/tasks" | "/workers" | "/queues" | "/timeline" | "/schedules" | "/templates";
  readonly icon: IconName;
  /** Pressed after `g`. */
  readonly key: string;
}

export const pageTable: readonly PageEntry[] = [
  { name: "Overview", path: "/", icon: "overview", key: "o" },
  { name: "Tasks", path: "/tasks", icon: "tasks", key: "t" },
  { name: "Workers", path: "/workers", icon: "workers", key: "w" },
  { name: "Queues", path: "/queues", icon: "queues", key: "q" },
  { name: "Timeline", path: "/timeline", icon: "timeline", key: "l" },
  { name: "Schedules", path: "/schedules", icon: "schedules", key: "s" },
  { name: "Templates", path: "/templates", icon: "templates", key: "e" },
];
