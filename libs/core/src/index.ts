export { AUDIT_ACTIONS, AUDIT_TARGETS, type AuditAction, type AuditTarget } from './audit-actions.ts';
export {
  DURATION_PATTERN,
  durationMeant,
  formatDuration,
  MAX_DURATION_MS,
  parseDuration,
} from './duration.ts';
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
export type { Asker } from './jobs/asker.ts';
export {
  BATCH_ACTIONS,
  type BatchAction,
  batchPace,
  batchStates,
  pacedAfter,
} from './jobs/batch.ts';
export {
  type Call,
  type CallParams,
  makeCall,
  makeCallNow,
  summary,
  wrongExpiry,
} from './jobs/call.ts';
export { type CallOptions, optionIssues } from './jobs/call-options.ts';
export { cancelledEvent } from './jobs/cancelled-event.ts';
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
} from './jobs/envelope.ts';
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
} from './jobs/event.ts';
export { type DecodedBatch, decodeBatch, encodeBatch, encodeEvent, parseBatch } from './jobs/event-batch.ts';
export {
  isTerminal,
  JOB_STATES,
  type JobState,
  NOT_BEGUN_STATES,
  type TerminalState,
} from './jobs/job-state.ts';
export { type DoubtAnswer, type DoubtQuestion, type Holders, judge, type KnownJob } from './jobs/judge.ts';
export { mayHold } from './jobs/may-hold.ts';
export { type JobMove, type MovableJob, type MovedJob, moveJob } from './jobs/move.ts';
export { MAX_NESTING } from './jobs/nesting.ts';
export { orderOf, PHASES } from './jobs/order.ts';
export { OUTCOMES, type Outcome, type Reason } from './jobs/outcome.ts';
export {
  type JobProgress,
  lastProgress,
  MAX_PROGRESS_NOTE,
  type Progress,
  readProgress,
} from './jobs/progress.ts';
export { type AttemptChange, type Changes, type JobChange, mergeJob, project } from './jobs/project.ts';
export {
  decideReconcile,
  type Findings,
  needsLook,
  type OpenJob,
  type ReconcileDecision,
  type ReconcileMarks,
  type StreamFacts,
} from './jobs/reconcile.ts';
export { type Delivered, isFresh, isSuspect } from './jobs/suspect.ts';
export type { Checked, InputOf, TaskRef } from './jobs/task-ref.ts';
export { type JobRate, rateOf } from './limits/job-rate.ts';
export { keptFor, reserveSlot, takeBack } from './limits/kept-slots.ts';
export { reasonWithoutKey } from './limits/parked-reason.ts';
export {
  decodeQueueSettings,
  encodeQueueSettings,
  isPaused,
  isPurged,
  type PurgeMark,
  type QueueLimits,
  type QueuePause,
  type QueueSettings,
} from './limits/queue-settings.ts';
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
} from './limits/rate.ts';
export {
  MAX_RATE,
  RATE_PERIOD,
  rateMeant,
  TASK_RATE_SCOPES,
  type TaskRate,
  type TaskRateInput,
  type TaskRateScope,
} from './limits/rate-input.ts';
export { RATE_SCOPES, type RateLimit, type RateScope } from './limits/rate-limit.ts';
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
  type Semaphore,
  type SlotAnswer,
  type SlotClaim,
  type SlotHolder,
  withoutOverdue,
} from './limits/semaphore.ts';
export {
  decodeTaskSettings,
  encodeTaskSettings,
  type TaskLimits,
  type TaskSettings,
} from './limits/task-settings.ts';
export { checkName, isName, SCHEDULE_PATTERN } from './names.ts';
export {
  areCallbacks,
  CALLBACK_KINDS,
  type Callback,
  type CallbackKind,
  type Callbacks,
  callbackKind,
  MAX_CALLBACKS,
  NO_CALLBACKS,
} from './policy/callback.ts';
export {
  type CallbackInput,
  readCallbacks,
  type TaskCallbackInput,
  type WebhookCallbackInput,
} from './policy/callback-input.ts';
export {
  type Concurrency,
  type ConcurrencyKeyInput,
  concurrencyHash,
  isConcurrency,
  MAX_CONCURRENCY_KEY,
  MAX_CONCURRENCY_LIMIT,
} from './policy/concurrency.ts';
export {
  type ExplainedPolicy,
  explainPolicy,
  POLICY_LAYERS,
  type PolicyLayer,
} from './policy/explain-policy.ts';
export { matchesGlob } from './policy/glob.ts';
export {
  INLINE,
  type Isolated,
  type Isolation,
  type IsolationInput,
  type IsolationKind,
  readIsolation,
} from './policy/isolation.ts';
export { keyFor, withTaskKey } from './policy/key-template.ts';
export {
  type EndedJob,
  makeCallback,
  type ToldEnd,
  tellEnd,
  WEBHOOK_TASK,
  webhookInput,
} from './policy/make-callback.ts';
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
} from './policy/policy.ts';
export { type CallbacksInput, readPolicy } from './policy/policy-input.ts';
export {
  cancelledReason,
  decide,
  type Ended,
  expiredReason,
  MAX_RUNS,
  type Next,
  whenCancelled,
} from './policy/retry.ts';
export { type ErrorClass, MAX_ATTEMPTS, MAX_KIND, type RetryInput } from './policy/retry-input.ts';
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
} from './policy/settings.ts';
export {
  type OneTaskSettingsInput,
  type QueueSettingsInput,
  readSettings,
  type SettingsInput,
  type TaskSettingsInput,
} from './policy/settings-input.ts';
export type { TimeoutInput } from './policy/timeout-input.ts';
export {
  type CatchUpDecision,
  caughtUpReason,
  decideCatchUp,
  defaultWindow,
  MAX_TIMES,
  type MissedRun,
} from './schedules/catch-up.ts';
export {
  bufferOf,
  decideOverlap,
  type EarlierJob,
  MAX_BUFFERED,
  type OverlapDecision,
  replacedReason,
} from './schedules/overlap.ts';
export {
  type PlannableSchedule,
  planSchedule,
  type SchedulePlan,
  type SupersededDefinition,
} from './schedules/plan.ts';
export { type PlannedTime, pausedReason, periodAfter, type SchedulePause } from './schedules/plan-stretch.ts';
export { definitionProblem, storedDefinition } from './schedules/read-definition.ts';
export {
  type CatchUp,
  type OccurrenceState,
  ORIGIN_PREFIXES,
  type OverlapRule,
  PLAN_ORIGIN,
  SCHEDULE_DEFAULTS,
  SCHEDULE_FIELDS,
  type ScheduledJob,
  type ScheduleSpec,
} from './schedules/schedule.ts';
export { awayAt, type SchedulerGap } from './schedules/scheduler-gap.ts';
export { validateSchedule } from './schedules/validate-schedule.ts';
export { parseSearch, type SearchTerm, type TextPattern } from './search/search.ts';
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
} from './unique/unique.ts';
export {
  type DebounceInput,
  readUnique,
  type ThrottleInput,
  UNIQUE_FIELDS,
  type UniqueKeyInput,
  type UniqueOptions,
} from './unique/unique-input.ts';
export {
  claims,
  decideClaim,
  decideTake,
  decideWaiting,
  frees,
  giveBack,
  holderOf,
  type KeyHolder,
  type KeyNote,
  leftBehind,
  readKeyNote,
} from './unique/unique-note.ts';
export { type KeyReview, type KnownHolder, reassertKey, reviewKey } from './unique/unique-review.ts';
export { escapePointer, meantOf, nearest, unknownField, unknownFields } from './unknown-fields.ts';
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
