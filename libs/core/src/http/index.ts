export {
  type ApiKey,
  type ApiKeyCreated,
  ApiKeyCreatedSchema,
  ApiKeyPageSchema,
  type ApiKeyQuery,
  ApiKeyQuerySchema,
  type ApiKeyRequest,
  ApiKeyRequestSchema,
  ApiKeySchema,
} from './api-key.ts';
export {
  type AuditChange,
  AuditChangeSchema,
  AuditPageSchema,
  type AuditQuery,
  AuditQuerySchema,
} from './audit.ts';
export {
  type Batch,
  BatchPageSchema,
  type BatchQuery,
  BatchQuerySchema,
  type BatchRequest,
  BatchRequestSchema,
  BatchSchema,
} from './batch.ts';
export {
  type DeadLetter,
  DeadLetterPageSchema,
  type DeadLetterQuery,
  DeadLetterQuerySchema,
  DeadLetterSchema,
  type Replay,
  type ReplayAllRequest,
  ReplayAllRequestSchema,
  type ReplayRequest,
  ReplayRequestSchema,
  ReplaySchema,
} from './dead-letter.ts';
export { PAGE_SIZE, type Total } from './format.ts';
export { HealthSchema } from './health.ts';
export {
  type Job,
  type JobAccepted,
  JobAcceptedSchema,
  type JobRequest,
  JobRequestSchema,
  JobSchema,
  type Warning,
} from './job.ts';
export { type JobPolicy, JobPolicySchema } from './job-policy.ts';
export {
  type JobCounts,
  type JobCountsQuery,
  JobCountsQuerySchema,
  JobCountsSchema,
  type JobPage,
  JobPageSchema,
  type JobQuery,
  JobQuerySchema,
} from './job-query.ts';
export {
  type CancelRequest,
  CancelRequestSchema,
  type EndQuery,
  EndQuerySchema,
  type JobPatch,
  JobPatchSchema,
  type RetryRequest,
  RetryRequestSchema,
  type WaitQuery,
  WaitQuerySchema,
} from './job-verbs.ts';
export {
  type JobsAccepted,
  JobsAcceptedSchema,
  type JobsRequest,
  JobsRequestSchema,
} from './jobs-batch.ts';
export {
  EVENT_ID_PATTERN,
  GAP_REASONS,
  type GapReason,
  isTold,
  type JobStreamEvent,
  JobStreamEventSchema,
  LIVE_TYPES,
  type LiveEvent,
  LiveEventSchema,
  type LiveGap,
  LiveGapSchema,
  type LiveJobEvent,
  LiveJobEventSchema,
  type LiveQuery,
  LiveQuerySchema,
  type LiveType,
  type LiveWorkerEvent,
  LiveWorkerEventSchema,
} from './live.ts';
export {
  type Occurrence,
  type OccurrencePage,
  OccurrencePageSchema,
  type OccurrenceQuery,
  OccurrenceQuerySchema,
} from './occurrence.ts';
export {
  type NextQuery,
  NextQuerySchema,
  PREVIEW_COUNT,
  type PreviewAnswer,
  type PreviewRequest,
  PreviewRequestSchema,
  PreviewSchema,
} from './preview.ts';
export { type Problem, ProblemSchema } from './problem.ts';
export {
  type PurgeAnswer,
  PurgeAnswerSchema,
  type PurgeRequest,
  PurgeRequestSchema,
  type Queue,
  QueuePageSchema,
  type QueuePauseRequest,
  QueuePauseRequestSchema,
  type QueueRequest,
  QueueRequestSchema,
  QueueSchema,
  type RateLimitInput,
} from './queue.ts';
export {
  MAX_BATCH,
  type PageQuery,
  PageQuerySchema,
  type Schedule,
  type ScheduleBatch,
  ScheduleBatchAnswerSchema,
  ScheduleBatchSchema,
  SchedulePageSchema,
  SchedulePutSchema,
  type ScheduleRequest,
  ScheduleRequestSchema,
  ScheduleSchema,
} from './schedule.ts';
export {
  type Forecast,
  type ForecastQuery,
  ForecastQuerySchema,
  ForecastSchema,
  MAX_FORECAST,
  SCHEDULE_STATES,
  type ScheduleQuery,
  ScheduleQuerySchema,
  type ScheduleState,
} from './schedule-list.ts';
export {
  type Backfill,
  type BackfillRequest,
  BackfillRequestSchema,
  BackfillSchema,
  MAX_BACKFILL,
  MAX_BACKFILL_SHOWN,
  type PauseRequest,
  PauseRequestSchema,
  type Triggered,
  TriggeredSchema,
  type TriggerRequest,
  TriggerRequestSchema,
} from './schedule-verbs.ts';
export {
  type EndedSessions,
  EndedSessionsSchema,
  type EndSessions,
  EndSessionsSchema,
  type Session,
  SessionPageSchema,
  type SessionQuery,
  SessionQuerySchema,
  SessionSchema,
  type SessionShown,
  SessionShownSchema,
  type SignIn,
  type SignInLink,
  SignInLinkSchema,
  SignInSchema,
  type SignInWays,
  SignInWaysSchema,
} from './session.ts';
export { type Stats, StatsSchema } from './stats.ts';
export {
  type TaskAnswer,
  TaskPageSchema,
  type TaskRequest,
  TaskRequestSchema,
  TaskSchema,
} from './task.ts';
export type { ExclusionInput, RuleInput, WhenInput } from './when.ts';
export {
  type ConcurrencyRequest,
  ConcurrencyRequestSchema,
  type WorkerJson,
  WorkerPageSchema,
  type WorkerQuery,
  WorkerQuerySchema,
  type WorkerQueuesRequest,
  WorkerQueuesRequestSchema,
  WorkerSchema,
  type WorkerTold,
  WorkerToldSchema,
} from './worker.ts';
