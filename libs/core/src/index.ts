export {
  type Call,
  type CallOptions,
  type CallParams,
  DEFAULT_QUEUE,
  makeCall,
  makeCallNow,
  summary,
} from './call.ts';
export {
  type CatchUpDecision,
  decideCatchUp,
  defaultWindow,
  MAX_TIMES,
  type MissedRun,
} from './catch-up.ts';
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
  type ReleasedEvent,
  type ReturnedEvent,
  type SettledEvent,
  type StartedEvent,
  type TaskInfo,
  type WorkerEvent,
} from './event.ts';
export { type DecodedBatch, decodeBatch, encodeBatch, encodeEvent, parseBatch } from './event-batch.ts';
export { PAGE_SIZE } from './http/format.ts';
export { HealthSchema } from './http/health.ts';
export {
  type CancelRequest,
  CancelRequestSchema,
  type Job,
  type JobAccepted,
  JobAcceptedSchema,
  JobPageSchema,
  type JobQuery,
  JobQuerySchema,
  type JobRequest,
  JobRequestSchema,
  JobSchema,
  type Warning,
} from './http/job.ts';
export { type Problem, ProblemSchema } from './http/problem.ts';
export {
  type Occurrence,
  OccurrencePageSchema,
  type PageQuery,
  PageQuerySchema,
  type PauseRequest,
  PauseRequestSchema,
  type RuleInput,
  type Schedule,
  SchedulePageSchema,
  type ScheduleRequest,
  ScheduleRequestSchema,
  ScheduleSchema,
} from './http/schedule.ts';
export { childJobId, isUuid, occurrenceJobId, UUID_PATTERN, uuidV7, uuidV7From } from './ids.ts';
export {
  isTerminal,
  JOB_STATES,
  type JobState,
  NOT_BEGUN_STATES,
  type TerminalState,
} from './job-state.ts';
export { type DoubtAnswer, type DoubtQuestion, type Holders, judge, type KnownJob } from './judge.ts';
export { checkName, isName, SCHEDULE_PATTERN } from './names.ts';
export { MAX_NESTING } from './nesting.ts';
export { orderOf, PHASES } from './order.ts';
export { OUTCOMES, type Outcome, type Reason } from './outcome.ts';
export { decideOverlap, type OverlapDecision } from './overlap.ts';
export {
  DEFAULT_POLICY,
  type Policy,
  type PolicyOverrides,
  type RetryPolicy,
  resolvePolicy,
  type TimeLimits,
  totalLimit,
} from './policy.ts';
export { MAX_ATTEMPTS, type RetryInput, readPolicy, type TimeoutInput } from './policy-input.ts';
export { type AttemptChange, type Changes, type JobChange, mergeJob, project } from './project.ts';
export {
  decideReconcile,
  type Findings,
  needsLook,
  type OpenJob,
  type ReconcileDecision,
  type ReconcileMarks,
  type StreamFacts,
} from './reconcile.ts';
export { createRecurrence, type Recurrence, timesBetween } from './recurrence.ts';
export { decide, type Ended, type Next } from './retry.ts';
export {
  type CatchUp,
  type OccurrenceState,
  type OverlapRule,
  PLAN_ORIGIN,
  type Rule,
  SCHEDULE_DEFAULTS,
  type ScheduledJob,
  type ScheduleSpec,
  type When,
} from './schedule.ts';
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
  describeStorage,
  type Fill,
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
  formatTraceparent,
  newTrace,
  ownTrace,
  parseTraceparent,
  type TraceContext,
  traceOf,
} from './trace-context.ts';
export { escapePointer, unknownField, unknownFields } from './unknown-fields.ts';
export { validateSchedule } from './validate-schedule.ts';
