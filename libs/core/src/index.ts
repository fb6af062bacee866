export type { Asker } from './asker.ts';
export { AUDIT_ACTIONS, AUDIT_TARGETS, type AuditAction, type AuditTarget } from './audit-actions.ts';
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
export {
  DURATION_PATTERN,
  durationMeant,
  formatDuration,
  MAX_DURATION_MS,
  parseDuration,
} from './duration.ts';
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
export { keptFor, reserveSlot, takeBack } from './kept-slots.ts';
export { keyFor, withTaskKey } from './key-template.ts';
export {
  type EndedJob,
  makeCallback,
  type ToldEnd,
  tellEnd,
  WEBHOOK_TASK,
  webhookInput,
} from './make-callback.ts';
export { mayHold } from './may-hold.ts';
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
  planSchedule,
  type SchedulePlan,
  type SupersededDefinition,
} from './plan.ts';
export { type PlannedTime, pausedReason, periodAfter, type SchedulePause } from './plan-stretch.ts';
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
  rateMeant,
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
  SCHEDULE_FIELDS,
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
export { type Delivered, isFresh, isSuspect } from './suspect.ts';
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
  decideWaiting,
  frees,
  giveBack,
  holderOf,
  type KeyHolder,
  type KeyNote,
  leftBehind,
  readKeyNote,
} from './unique-note.ts';
export { type KeyReview, type KnownHolder, reassertKey, reviewKey } from './unique-review.ts';
export { escapePointer, meantOf, nearest, unknownField, unknownFields } from './unknown-fields.ts';
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
