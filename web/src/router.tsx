/** Which address shows which page. Pages beyond the first ones are loaded when they are opened. */
import { createRootRoute, createRoute, createRouter, Link } from "@tanstack/react-router";
import { OverviewPage } from "./pages/overview/overviewPage.tsx";
import { readAuditFilters } from "./pages/people/auditFilters.ts";
import { SignInGate } from "./pages/signIn/signInGate.tsx";
import { readFilters } from "./pages/tasks/filters.ts";
import { TasksPage } from "./pages/tasks/tasksPage.tsx";
import { type AnyOutcome, anyOutcomes } from "./pages/timeline/outcome.ts";
import { Empty, Loading, PageHeader } from "./parts/surfaces.tsx";
import { Layout } from "./shell/layout.tsx";
import { lazyPage } from "./shell/lazyPage.ts";

const root = createRootRoute({ component: Root, notFoundComponent: NotFound });

function text(search: Readonly<Record<string, unknown>>, name: string): string | undefined {
  return typeof search[name] === "string" && search[name] !== "" ? search[name] : undefined;
}

const overview = createRoute({ getParentRoute: () => root, path: "/", component: OverviewPage });
const tasks = createRoute({
  getParentRoute: () => root,
  path: "/tasks",
  component: TasksPage,
  validateSearch: readFilters,
});
const task = createRoute({
  getParentRoute: () => root,
  path: "/tasks/$id",
  component: lazyPage(() => import("./pages/task/taskPage.tsx"), "TaskPage"),
  validateSearch: (search: Readonly<Record<string, unknown>>): { tab?: string; attempt?: number } => ({
    ...(text(search, "tab") === undefined ? {} : { tab: text(search, "tab") as string }),
    ...(typeof search["attempt"] === "number" ? { attempt: search["attempt"] } : {}),
  }),
});
const graph = createRoute({
  getParentRoute: () => root,
  path: "/tasks/$id/graph",
  component: lazyPage(() => import("./pages/graph/graphPage.tsx"), "GraphPage"),
});
const family = createRoute({
  getParentRoute: () => root,
  path: "/tasks/$id/family",
  component: lazyPage(() => import("./pages/family/familyPage.tsx"), "FamilyPage"),
});
const familyTimeline = createRoute({
  getParentRoute: () => root,
  path: "/tasks/$id/timeline",
  component: lazyPage(() => import("./pages/timeline/familyTimelinePage.tsx"), "FamilyTimelinePage"),
});
const mapReduce = createRoute({
  getParentRoute: () => root,
  path: "/tasks/$id/map-reduce",
  component: lazyPage(() => import("./pages/mapReduce/mapReducePage.tsx"), "MapReducePage"),
});
const workers = createRoute({
  getParentRoute: () => root,
  path: "/workers",
  component: lazyPage(() => import("./pages/workers/workersPage.tsx"), "WorkersPage"),
  validateSearch: (search: Readonly<Record<string, unknown>>): { worker?: string } =>
    text(search, "worker") === undefined ? {} : { worker: text(search, "worker") as string },
});
const worker = createRoute({
  getParentRoute: () => root,
  path: "/workers/$worker",
  component: lazyPage(() => import("./pages/workers/workerPage.tsx"), "WorkerPage"),
  validateSearch: ({ outcome }: Readonly<Record<string, unknown>>): { outcome?: AnyOutcome } =>
    (anyOutcomes as readonly unknown[]).includes(outcome) ? { outcome: outcome as AnyOutcome } : {},
});
const queues = createRoute({
  getParentRoute: () => root,
  path: "/queues",
  component: lazyPage(() => import("./pages/queues/queuesPage.tsx"), "QueuesPage"),
  validateSearch: (search: Readonly<Record<string, unknown>>): { queue?: string } =>
    text(search, "queue") === undefined ? {} : { queue: text(search, "queue") as string },
});

const named = (search: Readonly<Record<string, unknown>>): { name?: string } =>
  text(search, "name") === undefined ? {} : { name: text(search, "name") as string };
const timeline = createRoute({
  getParentRoute: () => root,
  path: "/timeline",
  component: lazyPage(() => import("./pages/timeline/timelinePage.tsx"), "TimelinePage"),
});
const schedules = createRoute({
  getParentRoute: () => root,
  path: "/schedules",
  component: lazyPage(() => import("./pages/schedules/schedulesPage.tsx"), "SchedulesPage"),
  validateSearch: named,
});
const templates = createRoute({
  getParentRoute: () => root,
  path: "/templates",
  component: lazyPage(() => import("./pages/templates/templatesPage.tsx"), "TemplatesPage"),
  validateSearch: named,
});
const webhooks = createRoute({
  getParentRoute: () => root,
  path: "/webhooks",
  component: lazyPage(() => import("./pages/webhooks/webhooksPage.tsx"), "WebhooksPage"),
  validateSearch: named,
});

const users = createRoute({
  getParentRoute: () => root,
  path: "/users",
  component: lazyPage(() => import("./pages/people/usersPage.tsx"), "UsersPage"),
});
const tokens = createRoute({
  getParentRoute: () => root,
  path: "/tokens",
  component: lazyPage(() => import("./pages/people/tokensPage.tsx"), "TokensPage"),
});
const audit = createRoute({
  getParentRoute: () => root,
  path: "/audit",
  component: lazyPage(() => import("./pages/people/auditPage.tsx"), "AuditPage"),
  validateSearch: readAuditFilters,
});
const account = createRoute({
  getParentRoute: () => root,
  path: "/account",
  component: lazyPage(() => import("./pages/account/accountPage.tsx"), "AccountPage"),
});

const ofTasks = [tasks, task, graph, family, familyTimeline, mapReduce];
const ofCluster = [workers, worker, queues, timeline, schedules, templates, webhooks];
const ofPeople = [users, tokens, audit, account];

export const router = createRouter({
  routeTree: root.addChildren([overview, ...ofTasks, ...ofCluster, ...ofPeople]),
  defaultPreload: "intent",
  defaultPendingComponent: () => <Loading what="the page" />,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

function Root() {
  return (
    <SignInGate>
      <Layout />
    </SignInGate>
  );
}

function NotFound() {
  return (
    <>
      <PageHeader title="Unknown page" />
      <Empty title="There is no page at this address">
        <Link to="/" className="text-accent hover:underline">
          Go to the overview
        </Link>
      </Empty>
    </>
  );
}
