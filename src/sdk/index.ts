/** What `import … from "outlast"` gives: the client, and the nouns it speaks of. */

export { type AttemptOutcome, type AttemptRecord, attemptOutcomes, type TaskAttempt } from "../model/attemptRecord.ts";
export type { TokenSource } from "../model/bearer.ts";
export { type ErrorCode, type ErrorDetails, OutlastError } from "../model/errors.ts";
export type { OnNodeFailure, RunCondition } from "../model/graphs/conditions.ts";
export type { GraphInput, GraphNode } from "../model/graphs/graph.ts";
export type { GraphNodeView, GraphView, LinkedTask } from "../model/graphs/graphView.ts";
export type { Json } from "../model/json.ts";
export type { ContainerInput, ContainerMount } from "../model/kinds/container.ts";
export type { ExecInput } from "../model/kinds/exec.ts";
export type { HttpInput, HttpMethod, HttpOutput } from "../model/kinds/http.ts";
export type { RemoteInput } from "../model/kinds/remote.ts";
export type { SleepInput } from "../model/kinds/sleep.ts";
export { limits } from "../model/limits.ts";
export type { BackfilledTick, PreviewTick, ScheduleContent, ScheduleView } from "../model/schedules/schedule.ts";
export {
  type AttemptError,
  type ChildCounts,
  type ExitRecord,
  isFinal,
  type TaskDocument,
  type TaskState,
  taskStates,
} from "../model/task.ts";
export type {
  TemplateContent,
  TemplateRun,
  TemplateSummary,
  TemplateVariable,
  TemplateVersion,
} from "../model/templates/template.ts";
export { type Waiting, type WaitingReason, waitingReasons } from "../model/waiting.ts";
export type { WebhookContent, WebhookTrigger, WebhookView } from "../model/webhooks/webhook.ts";
export type { QueueView, WorkerView } from "../model/worker.ts";
export type { BlobSource } from "./blobSource.ts";
export type { Artifact, BlobInfo, Blobs, GetBlobOptions } from "./blobs.ts";
export type { Bulk, BulkFilter, BulkItem, BulkOptions } from "./bulk.ts";
export type {
  CallOptions,
  GetOptions,
  GraphOptions,
  ReadOptions,
  SubmitAllOptions,
  SubmitOptions,
  Submitted,
} from "./callOptions.ts";
export {
  createClient,
  Outlast,
  type PutTemplate,
  type RetryOptions,
  type SendSignalOptions,
  type WaitAllOptions,
} from "./client.ts";
export type { ConnectionOptions } from "./connection.ts";
export type { EventsOptions, OutlastEvent, TaskChange } from "./events.ts";
export type { Fetch, FetchAnswer, FetchInit } from "./fetch.ts";
export { type ChildCall, type OutputOf, type TaskCall, type TaskOptions } from "./handler/call.ts";
export { ChildTask, type FanOutOptions, fanOut, MasterTask } from "./handler/classes.ts";
export type {
  AttemptFiles,
  ChildResults,
  ChildrenOptions,
  Duration,
  SignalOptions,
  StepOptions,
  StepRun,
  TaskContext,
  TolerantChildrenOptions,
} from "./handler/context.ts";
export {
  type CheckedOptions,
  defineTask,
  type SubmittedTask,
  type TaskDefinition,
  type UncheckedOptions,
} from "./handler/definition.ts";
export {
  ChildFailedError,
  NonRetryableError,
  RetryLaterError,
  SignalTimeoutError,
  TaskFailedError,
} from "./handler/errors.ts";
export type { StandardSchema } from "./handler/standardSchema.ts";
export type { ListFilter, ListOptions, TaskList } from "./lists.ts";
export type { LogItem, LogsOptions } from "./logs.ts";
export type { MasterReport } from "./masterReport.ts";
export type { MasterState } from "./masters.ts";
export type { BackfillOptions, PreviewOptions, PutSchedule, SchedulePreview, Schedules } from "./schedules.ts";
export type { AttemptsFilter, ChildPage, ChildrenFilter, PageOptions, RememberedStep, TaskViews } from "./taskViews.ts";
export type { TypedSubmission as Submission } from "./typedSubmission.ts";
export type { DeliveriesOptions, NewWebhook, PutWebhook, WebhookDelivery, Webhooks } from "./webhooks.ts";
