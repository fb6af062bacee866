export type { Asker } from './asker.ts';
export {
  BATCH_ACTIONS,
  type BatchAction,
  batchPace,
  batchStates,
  pacedAfter,
} from './batch.ts';
export {
  type Call,
  type CallParams,
  makeCall,
  makeCallNow,
  summary,
  wrongExpiry,
} from './call.ts';
export { type CallOptions, optionIssues } from './call-options.ts';
export {
  areCallbacks,
  CALLBACK_KINDS,
  type Callback,
  type CallbackKind,
  type Callbacks,
  callbackKind,
  MAX_CALLBACKS,
  NO_CALLBACKS,
} from './callback.ts';
export {
  type CallbackInput,
  readCallbacks,
  type TaskCallbackInput,
  type WebhookCallbackInput,
} from './callback-input.ts';
export { cancelledEvent } from './cancelled-event.ts';
export {
  type CatchUpDecision,
  caughtUpReason,
  decideCatchUp,
  defaultWindow,
  MAX_TIMES,
  type MissedRun,
} from './catch-up.ts';
export {
  type Concurrency,
  type ConcurrencyKeyInput,
  concurrencyHash,
  isConcurrency,
  MAX_CONCURRENCY_KEY,
  MAX_CONCURRENCY_LIMIT,
} from './concurrency.ts';
export { DURATION_PATTERN, formatDuration, MAX_DURATION_MS, parseDuration } from './duration.ts';
export {
  decodeEnvelope,
  encodeEnvelope,
  FIRST_POSITION,
  type JobEnvelope,
  messageId,
  type Position,
  PRIORITIES,
  type Priority,
  type ScheduleRef,
} from './envelope.ts';
export {
  describeIssues,
  InvalidInputError,
  type Issue,
  JetbeatError,
  MalformedMessageError,
  type StoredError,
  toStoredError,
} from './errors.ts';
export {
  type AcceptedEvent,
  type EndedEvent,
  type Event,
  factsOf,
  type JobEvent,
  type JobFacts,
  type ParkedEvent,
  type ParkedFor,
  type ProgressEvent,
  type PublishedEvent,
  publishedEvent,
  type ReleasedEvent,
  type ReturnedEvent,
  type SettledEvent,
  type StartedEvent,
  type TaskInfo,
  type WorkerEvent,
} from './event.ts';
export { type DecodedBatch, decodeBatch, encodeBatch, encodeEvent, parseBatch } from './event-batch.ts';
export {
  type ExplainedPolicy,
  explainPolicy,
  POLICY_LAYERS,
  type PolicyLayer,
} from './explain-policy.ts';
export { matchesGlob } from './glob.ts';
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
} from './http/api-key.ts';
export {
  type AuditChange,
  AuditChangeSchema,
  AuditPageSchema,
  type AuditQuery,
  AuditQuerySchema,
} from './http/audit.ts';
export {
  type Batch,
  BatchPageSchema,
  type BatchQuery,
  BatchQuerySchema,
  type BatchRequest,
  BatchRequestSchema,
  BatchSchema,
} from './http/batch.ts';
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
} from './http/dead-letter.ts';
export { PAGE_SIZE, type Total } from './http/format.ts';
export { HealthSchema } from './http/health.ts';
export {
  type Job,
  type JobAccepted,
  JobAcceptedSchema,
  type JobRequest,
  JobRequestSchema,
  JobSchema,
  type Warning,
} from './http/job.ts';
export { type JobPolicy, JobPolicySchema } from './http/job-policy.ts';
export {
  type JobCounts,
  type JobCountsQuery,
  JobCountsQuerySchema,
  JobCountsSchema,
  type JobPage,
  JobPageSchema,
  type JobQuery,
  JobQuerySchema,
} from './http/job-query.ts';
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
} from './http/job-verbs.ts';
export {
  type JobsAccepted,
  JobsAcceptedSchema,
  type JobsRequest,
  JobsRequestSchema,
} from './http/jobs-batch.ts';
export {
  EVENT_ID_PATTERN,
  GAP_REASONS,
  type GapReason,
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
} from './http/live.ts';
export {
  type Occurrence,
  type OccurrencePage,
  OccurrencePageSchema,
  type OccurrenceQuery,
  OccurrenceQuerySchema,
} from './http/occurrence.ts';
export {
  type NextQuery,
  NextQuerySchema,
  PREVIEW_COUNT,
  type PreviewAnswer,
  type PreviewRequest,
  PreviewRequestSchema,
  PreviewSchema,
} from './http/preview.ts';
export { type Problem, ProblemSchema } from './http/problem.ts';
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
} from './http/queue.ts';
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
} from './http/schedule.ts';
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
} from './http/schedule-list.ts';
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
} from './http/schedule-verbs.ts';
export {
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
} from './http/session.ts';
export { type Stats, StatsSchema } from './http/stats.ts';
export {
  type TaskAnswer,
  TaskPageSchema,
  type TaskRequest,
  TaskRequestSchema,
  TaskSchema,
} from './http/task.ts';
export type { ExclusionInput, RuleInput, WhenInput } from './http/when.ts';
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
} from './http/worker.ts';
export {
  callbackJobId,
  childJobId,
  isUuid,
  occurrenceJobId,
  replayJobId,
  UUID_PATTERN,
  uuidTime,
  uuidV7,
  uuidV7From,
} from './ids.ts';
export {
  INLINE,
  type Isolated,
  type Isolation,
  type IsolationInput,
  type IsolationKind,
  readIsolation,
} from './isolation.ts';
export { type JobRate, rateOf } from './job-rate.ts';
export {
  isTerminal,
  JOB_STATES,
  type JobState,
  NOT_BEGUN_STATES,
  type TerminalState,
} from './job-state.ts';
export { type DoubtAnswer, type DoubtQuestion, type Holders, judge, type KnownJob } from './judge.ts';
export { keyFor, withTaskKey } from './key-template.ts';
export {
  type EndedJob,
  makeCallback,
  type ToldEnd,
  tellEnd,
  WEBHOOK_TASK,
  webhookInput,
} from './make-callback.ts';
export { type JobMove, type MovableJob, type MovedJob, moveJob } from './move.ts';
export { checkName, isName, SCHEDULE_PATTERN } from './names.ts';
export { MAX_NESTING } from './nesting.ts';
export { orderOf, PHASES } from './order.ts';
export { OUTCOMES, type Outcome, type Reason } from './outcome.ts';
export {
  bufferOf,
  decideOverlap,
  type EarlierJob,
  MAX_BUFFERED,
  type OverlapDecision,
  replacedReason,
} from './overlap.ts';
export { reasonWithoutKey } from './parked-reason.ts';
export {
  type PlannableSchedule,
  type PlannedTime,
  pausedReason,
  periodAfter,
  planSchedule,
  type SchedulePause,
  type SchedulePlan,
  type SupersededDefinition,
} from './plan.ts';
export {
  BACKOFFS,
  type Backoff,
  DEFAULT_POLICY,
  type Policy,
  type PolicyOverrides,
  type RetryPolicy,
  resolvePolicy,
  type TimeLimits,
  totalLimit,
} from './policy.ts';
export { type CallbacksInput, readPolicy } from './policy-input.ts';
export {
  type JobProgress,
  lastProgress,
  MAX_PROGRESS_NOTE,
  type Progress,
  readProgress,
} from './progress.ts';
export { type AttemptChange, type Changes, type JobChange, mergeJob, project } from './project.ts';
export {
  decodeQueueSettings,
  encodeQueueSettings,
  isPaused,
  isPurged,
  type PurgeMark,
  type QueueLimits,
  type QueuePause,
  type QueueSettings,
} from './queue-settings.ts';
export {
  claimRate,
  claimStarts,
  idleAfter,
  letGo,
  mayGo,
  nextGoesAt,
  type Pace,
  type RateAnswer,
  type RateAsk,
  startAfter,
  startsUntil,
  TURN_MS,
} from './rate.ts';
export {
  MAX_RATE,
  RATE_PERIOD,
  TASK_RATE_SCOPES,
  type TaskRate,
  type TaskRateInput,
  type TaskRateScope,
} from './rate-input.ts';
export { RATE_SCOPES, type RateLimit, type RateScope } from './rate-limit.ts';
export { definitionProblem, storedDefinition } from './read-definition.ts';
export {
  decideReconcile,
  type Findings,
  needsLook,
  type OpenJob,
  type ReconcileDecision,
  type ReconcileMarks,
  type StreamFacts,
} from './reconcile.ts';
export {
  cancelledReason,
  decide,
  type Ended,
  expiredReason,
  MAX_RUNS,
  type Next,
  whenCancelled,
} from './retry.ts';
export { type ErrorClass, MAX_ATTEMPTS, MAX_KIND, type RetryInput } from './retry-input.ts';
export {
  type CatchUp,
  type OccurrenceState,
  ORIGIN_PREFIXES,
  type OverlapRule,
  PLAN_ORIGIN,
  SCHEDULE_DEFAULTS,
  type ScheduledJob,
  type ScheduleSpec,
} from './schedule.ts';
export { awayAt, type SchedulerGap } from './scheduler-gap.ts';
export { parseSearch, type SearchTerm, type TextPattern } from './search.ts';
export {
  type BlockClaim,
  claimBlock,
  claimSlot,
  decodeSemaphore,
  dropHolders,
  FREE_SEMAPHORE,
  isFree,
  isFull,
  leasesOf,
  noteWaiting,
  reserveSlot,
  type Semaphore,
  type SlotAnswer,
  type SlotClaim,
  type SlotHolder,
  withoutOverdue,
} from './semaphore.ts';
export {
  type ConfiguredTask,
  callbacksOf,
  DEFAULT_QUEUE,
  expiresOf,
  isolationOf,
  type Layer,
  NO_SETTINGS,
  placeOf,
  policyOf,
  type Settings,
} from './settings.ts';
export {
  type OneTaskSettingsInput,
  type QueueSettingsInput,
  readSettings,
  type SettingsInput,
  type TaskSettingsInput,
} from './settings-input.ts';
export {
  attemptSpanId,
  commitSpan,
  createProcessSpans,
  fireSpan,
  outcomeAttributes,
  recordSpan,
  type SpanFacts,
  sendManySpan,
  sendName,
  sendSpan,
  settleSpan,
  waitSpan,
} from './spans.ts';
export {
  decideGate,
  describeFullQueue,
  describeStorage,
  type Fill,
  type FullQueue,
  OPEN_AT,
  REFUSE_AT,
  readStorageFigures,
  type StorageFigures,
  type StorageGate,
  storageLevel,
} from './storage.ts';
export { type Delivered, isSuspect } from './suspect.ts';
export type { Checked, InputOf, TaskRef } from './task-ref.ts';
export {
  decodeTaskSettings,
  encodeTaskSettings,
  type TaskLimits,
  type TaskSettings,
} from './task-settings.ts';
export type { TimeoutInput } from './timeout-input.ts';
export {
  formatTraceparent,
  newTrace,
  ownTrace,
  parseTraceparent,
  type TraceContext,
  traceOf,
} from './trace-context.ts';
export {
  isUniqueRef,
  lastConcurrency,
  refOf,
  type UniqueAsk,
  type UniqueMode,
  type UniqueRef,
  type UniqueScope,
  uniqueName,
} from './unique.ts';
export {
  type DebounceInput,
  readUnique,
  type ThrottleInput,
  UNIQUE_FIELDS,
  type UniqueKeyInput,
  type UniqueOptions,
} from './unique-input.ts';
export {
  claims,
  decideClaim,
  decideTake,
  frees,
  giveBack,
  holderOf,
  type KeyHolder,
  type KeyNote,
  readKeyNote,
} from './unique-note.ts';
export { type KeyReview, type KnownHolder, reassertKey, reviewKey } from './unique-review.ts';
export { escapePointer, unknownField, unknownFields } from './unknown-fields.ts';
export { validateSchedule } from './validate-schedule.ts';
export { jitterOf } from './when/jitter.ts';
export { type Preview, previewTimes } from './when/preview.ts';
export { createRecurrence, type Recurrence, timesBetween } from './when/recurrence.ts';
export { DST_DEFAULTS, type DstRules, type Exclusion, type Rule, type When } from './when/rule.ts';
export { validateWhen } from './when/validate-when.ts';
export { isZone } from './when/zone.ts';
export {
  MAX_CONCURRENCY,
  MAX_WORKER_QUEUES,
  readCommand,
  readWorkerAnswer,
  type WorkerAnswer,
  type WorkerCommand,
  type WorkerReport,
  type WorkersJob,
  wrongQueues,
} from './worker-control.ts';
