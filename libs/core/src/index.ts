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
  InvalidInputError,
  type Issue,
  JetbeatError,
  MalformedMessageError,
  type StoredError,
  toStoredError,
} from './errors.ts';
export {
  type AcceptedEvent,
  type DecodedBatch,
  decodeBatch,
  type EndedEvent,
  type Event,
  encodeBatch,
  encodeEvent,
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
export { childJobId, isUuid, occurrenceJobId, UUID_PATTERN, uuidTime, uuidV7 } from './ids.ts';
export {
  canGo,
  canReach,
  isTerminal,
  JOB_STATES,
  type JobState,
  NOT_BEGUN_STATES,
  TERMINAL_STATES,
  type TerminalState,
} from './job-state.ts';
export { type DoubtAnswer, type DoubtQuestion, type Holders, judge, type KnownJob } from './judge.ts';
export { checkName, isName, QUEUE_PATTERN, SCHEDULE_PATTERN, TASK_PATTERN } from './names.ts';
export { orderOf, PHASES } from './order.ts';
export { OUTCOMES, type Outcome, type Reason } from './outcome.ts';
export {
  DEFAULT_POLICY,
  MAX_LOSSES,
  type Policy,
  type PolicyOverrides,
  type RetryPolicy,
  resolvePolicy,
  type TimeLimits,
  totalLimit,
} from './policy.ts';
export { type AttemptChange, type Changes, type JobChange, mergeJob, project } from './project.ts';
export { decide, type Ended, type Next } from './retry.ts';
export { type Delivered, isSuspect } from './suspect.ts';
export { formatTraceparent, newTrace, parseTraceparent, type TraceContext } from './trace-context.ts';
