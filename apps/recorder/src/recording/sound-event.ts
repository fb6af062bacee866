import {
  areCallbacks,
  type Event,
  isConcurrency,
  isName,
  isUniqueRef,
  isUuid,
  type JobEnvelope,
  type JobEvent,
  type JobFacts,
  MAX_ATTEMPTS,
  MAX_PROGRESS_NOTE,
  OUTCOMES,
  type ParkedFor,
  type PolicyOverrides,
  PRIORITIES,
  type Progress,
  type SettledEvent,
  type StartedEvent,
  type WorkerEvent,
} from '@jetbeat/core';

/** The last millisecond of the year 9999: PostgreSQL and RFC 3339 both still write it. */
const MAX_TIME = 253_402_300_799_999;
const MAX_INT = 2 ** 31 - 1;
const MAX_WORKER_ID = 200;
/** Of those that had the slots of a key; workers name two. */
const MAX_HOLDERS = 8;
const TERMINAL_WITHOUT_RUN = ['dead', 'cancelled', 'expired'];

/**
 * Whether this is an event, and every field that history stores of it has the type and the range that its column has. Anybody with
 * rights on the stream can publish there; what a column refuses would hold up every event after it.
 */
export function isSound(entry: unknown): entry is Event {
  if (!isObject(entry)) return false;
  const event = entry as unknown as Event;
  if (event.kind === 'worker') return isSoundWorker(event);
  if (event.kind === 'accepted') {
    return (
      isObject(event.envelope) &&
      isSoundEnvelope(event.envelope) &&
      isCount(event.seq, 0, Number.MAX_SAFE_INTEGER) &&
      (event.traceparent === undefined || isText(event.traceparent, 256))
    );
  }
  return isUuid(event.job) && areFactsSound(event) && isSoundStep(event);
}

function isSoundStep(event: Exclude<JobEvent, { kind: 'accepted' }>): boolean {
  switch (event.kind) {
    case 'published':
      return true;
    case 'started':
      return isRun(event) && isTime(event.at);
    case 'progress':
      return isRun(event) && isTime(event.startedAt) && isTime(event.at) && isProgress(event);
    case 'settled':
      return isRun(event) && isSettlement(event);
    case 'returned':
      if (event.runId === undefined) return isText(event.worker, MAX_WORKER_ID) && isTime(event.at);
      return isRun(event) && isTime(event.startedAt) && isTime(event.at);
    case 'parked':
      return isParking(event) && isTime(event.at);
    case 'released':
      return isTime(event.at);
    case 'ended':
      return TERMINAL_WITHOUT_RUN.includes(event.state) && isReason(event.reason) && isTime(event.at);
    default:
      return false;
  }
}

function areFactsSound(facts: Omit<JobFacts, 'job'>): boolean {
  return (
    isName('task', facts.task) &&
    isName('queue', facts.queue) &&
    PRIORITIES.includes(facts.priority) &&
    isTime(facts.createdAt) &&
    isTime(facts.runAt) &&
    isCount(facts.attempt, 1) &&
    isCount(facts.run, 1) &&
    isCount(facts.parks, 0) &&
    (facts.seq === undefined || isCount(facts.seq, 0, Number.MAX_SAFE_INTEGER)) &&
    (facts.traceId === undefined || isText(facts.traceId, 64))
  );
}

function isSoundEnvelope(envelope: JobEnvelope): boolean {
  const { id, schedule, parent, unique, meta, policy, expiresAt } = envelope;
  return (
    envelope.v === 1 &&
    isUuid(id) &&
    areFactsSound(envelope) &&
    (expiresAt === undefined || isTime(expiresAt)) &&
    (meta === undefined || (isObject(meta) && Object.values(meta).every((text) => isText(text, 65_536)))) &&
    (policy === undefined || isSoundPolicy(policy)) &&
    (parent === undefined || isUuid(parent)) &&
    (unique === undefined || isUniqueRef(unique)) &&
    (schedule === undefined ||
      (isObject(schedule) &&
        isUuid(schedule.id) &&
        isName('schedule', schedule.name) &&
        isTime(schedule.nominalTime) &&
        isText(schedule.origin, 256)))
  );
}

/** Its numbers make a time limit, by a loop over the attempts. */
function isSoundPolicy(policy: PolicyOverrides): boolean {
  if (!isObject(policy)) return false;
  const { retry = {}, timeout = {}, onSuccess, onFailure } = policy;
  if (!isObject(retry) || !isObject(timeout)) return false;
  if (!areCallbacks(onSuccess) || !areCallbacks(onFailure)) return false;
  if (policy.concurrency !== undefined && !isConcurrency(policy.concurrency)) return false;
  const { delay = 0 } = retry;
  const delays: readonly unknown[] = Array.isArray(delay) ? delay : [delay];
  return (
    (retry.attempts === undefined || isCount(retry.attempts, 1, MAX_ATTEMPTS)) &&
    [...delays, retry.factor, retry.max, timeout.hard, timeout.soft].every(
      (number) => number === undefined || isTime(number),
    )
  );
}

function isSettlement(event: SettledEvent): boolean {
  const { next } = event;
  if (!isTime(event.startedAt) || !isTime(event.finishedAt) || !OUTCOMES.includes(event.outcome))
    return false;
  if (event.span !== undefined && !isText(event.span, 16)) return false;
  if (
    event.error !== undefined &&
    !(isObject(event.error) && isText(event.error.name) && isText(event.error.message))
  ) {
    return false;
  }
  if (!isObject(next)) return false;
  switch (next.state) {
    case 'succeeded':
      return true;
    case 'cancelled':
      return next.reason === undefined || isReason(next.reason);
    case 'dead':
    case 'expired':
      return isReason(next.reason);
    case 'retrying':
      return (
        isCount(next.attempt, 1) &&
        isTime(next.runAt) &&
        (next.losses === undefined || isCount(next.losses, 0))
      );
    default:
      return false;
  }
}

function isSoundWorker(event: WorkerEvent): boolean {
  return (
    isText(event.worker, MAX_WORKER_ID) &&
    (event.state === 'running' || event.state === 'stopped') &&
    isText(event.host) &&
    isText(event.version) &&
    isCount(event.pid, 0) &&
    isCount(event.concurrency, 0) &&
    isCount(event.held, 0) &&
    (event.draining === undefined || typeof event.draining === 'boolean') &&
    isTime(event.startedAt) &&
    isTime(event.at) &&
    Array.isArray(event.queues) &&
    event.queues.every((queue) => isName('queue', queue)) &&
    (event.tasks === undefined ||
      (Array.isArray(event.tasks) &&
        event.tasks.every((task) => isObject(task) && isName('task', task.name))))
  );
}

function isRun(event: Pick<StartedEvent, 'runId' | 'worker'>): boolean {
  return isUuid(event.runId) && isText(event.worker, MAX_WORKER_ID);
}

function isProgress({ value, note }: Progress): boolean {
  return isTime(value) && value <= 100 && (note === undefined || isText(note, MAX_PROGRESS_NOTE));
}

function isParking(event: ParkedFor): boolean {
  if (event.what === 'rate')
    return isText(event.rate, 1_024) && isCount(event.limit, 1) && isCount(event.periodMs, 1);
  if (event.what !== 'key') return event.what === 'task' || event.what === 'doubt';
  return isConcurrency(event) && isCount(event.taken, 0) && (event.by === undefined || isHolders(event.by));
}

function isHolders(by: unknown): boolean {
  return Array.isArray(by) && by.length <= MAX_HOLDERS && by.every(isUuid);
}

function isReason(value: unknown): boolean {
  return isObject(value) && isText(value.code, 128) && isText(value.text);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown, most = 65_536): value is string {
  return typeof value === 'string' && value.length <= most;
}

function isCount(value: unknown, least: number, most = MAX_INT): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= MAX_TIME;
}
