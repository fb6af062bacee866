import { type JobEnvelope, messageId } from './jobs/envelope.ts';
import type { Outcome } from './jobs/outcome.ts';
import type { Next } from './policy/retry.ts';

/** What a span says of itself, before anything of OpenTelemetry comes in. */
export interface SpanFacts {
  readonly name: string;
  readonly kind: 'internal' | 'client' | 'producer' | 'consumer';
  /** What many spans say alike, and then in one and the same object: whoever writes them need not look into it each time. */
  readonly shared?: Readonly<Record<string, string | number>>;
  /** What it says beside that. */
  readonly attributes: Readonly<Record<string, string | number>>;
}

/**
 * Every span and attribute that Jetbeat makes of a job, by the messaging conventions of OpenTelemetry (1.45,
 * https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/). These names are still in development there, so
 * nothing else in the project spells one out. `messaging.system` is the older form of `messaging.system.name`, which Jaeger's
 * users still look for. What is ours begins with `jetbeat.`.
 */
type Job = Pick<JobEnvelope, 'id' | 'task' | 'queue' | 'priority' | 'attempt' | 'run' | 'parks'>;

const SYSTEM = { 'messaging.system': 'nats', 'messaging.system.name': 'nats' } as const;
const SETTLE = {
  ...SYSTEM,
  'messaging.operation.type': 'settle',
  'messaging.operation.name': 'ack',
} as const;
const RECORD = {
  ...SYSTEM,
  'messaging.destination.name': 'events.batch',
  'messaging.operation.type': 'process',
  'messaging.operation.name': 'record',
  'messaging.consumer.group.name': 'recorder',
} as const;
/** Kinds of attempts that one maker remembers; a worker has few tasks and queues. */
const MAX_KINDS = 1_000;
/** Where jobs go, with few values however many tasks there are. */
const TEMPLATE = 'jobs.{queue}.{priority}.{task}';

/** A schedule has come due and makes this job; begins the trace. */
export function fireSpan(job: Job & Pick<JobEnvelope, 'schedule' | 'createdAt'>): SpanFacts {
  const { schedule, createdAt } = job;
  return {
    name: `fire ${schedule?.name ?? ''}`,
    kind: 'internal',
    attributes: {
      ...jobAttributes(job),
      ...scheduleAttributes(job),
      'jetbeat.lateness_ms': Math.max(0, createdAt - (schedule?.nominalTime ?? createdAt)),
    },
  };
}

/** The job's row is committed, together with `rows` in all. */
export function commitSpan(rows: number): SpanFacts {
  return {
    name: 'commit job',
    kind: 'client',
    attributes: {
      'db.system.name': 'postgresql',
      'db.operation.name': 'COMMIT',
      'db.collection.name': 'job',
      ...(rows > 1 ? { 'db.operation.batch.size': rows } : {}),
    },
  };
}

/** How the span of publishing to a queue is called. */
export function sendName(queue: string): string {
  return `send ${queue}`;
}

/** A job is published; its context travels with the job. */
export function sendSpan(job: Job & Pick<JobEnvelope, 'runAt' | 'createdAt'>): SpanFacts {
  return {
    name: sendName(job.queue),
    kind: 'producer',
    attributes: {
      ...messageAttributes(job),
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'send',
      ...jobAttributes(job),
      ...(job.runAt > job.createdAt ? { 'jetbeat.run_at': isoTime(job.runAt) } : {}),
    },
  };
}

/** Jobs of one task are published together; each is a trace of its own that links here. */
export function sendManySpan(task: string, count: number): SpanFacts {
  return {
    name: `send ${task}`,
    kind: 'producer',
    attributes: {
      ...SYSTEM,
      'messaging.destination.template': TEMPLATE,
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'send',
      'messaging.batch.message_count': count,
      'jetbeat.task': task,
    },
  };
}

/** A job was due and no worker had begun it. It says little: what is made in hindsight of every attempt has to be cheap. */
export function waitSpan(job: Pick<Job, 'queue' | 'attempt'>): SpanFacts {
  return {
    name: `wait ${job.queue}`,
    kind: 'internal',
    attributes: { 'jetbeat.attempt': job.attempt },
  };
}

/** One attempt of a job by a worker. */
export interface AttemptFacts {
  readonly runId: string;
  /** How often its message has been handed out. */
  readonly deliveryCount: number;
}

/** Makes the facts of the spans of one worker's attempts, inside of which the handlers run. */
export function createProcessSpans(
  worker: string,
): (job: Job & Pick<JobEnvelope, 'schedule'>, attempt: AttemptFacts) => SpanFacts {
  const kinds = new Map<string, Readonly<Record<string, string | number>>>();
  const sharedBy = (job: Job): Readonly<Record<string, string | number>> => {
    const destination = `jobs.${job.queue}.${job.priority}.${job.task}`;
    let shared = kinds.get(destination);
    if (!shared) {
      shared = {
        ...SYSTEM,
        'messaging.destination.name': destination,
        'messaging.destination.template': TEMPLATE,
        'messaging.operation.type': 'process',
        'messaging.operation.name': 'process',
        'messaging.consumer.group.name': `${job.queue}_${job.priority}`,
        'messaging.client.id': worker,
        'jetbeat.task': job.task,
        'jetbeat.queue': job.queue,
        'jetbeat.priority': job.priority,
      };
      if (kinds.size < MAX_KINDS) kinds.set(destination, shared);
    }
    return shared;
  };
  return (job, { runId, deliveryCount }) => ({
    name: `process ${job.task}`,
    kind: 'consumer',
    shared: sharedBy(job),
    attributes: {
      'messaging.message.id': messageId(job),
      'jetbeat.job.id': job.id,
      'jetbeat.attempt': job.attempt,
      'jetbeat.run': job.run,
      'jetbeat.run.id': runId,
      ...scheduleAttributes(job),
      ...(deliveryCount > 1 ? { 'jetbeat.deliveries': deliveryCount } : {}),
    },
  });
}

/** What an attempt came to; added to its span when it is over. */
export function outcomeAttributes(outcome: Outcome, errorType: string | undefined): SpanFacts['attributes'] {
  return { 'jetbeat.outcome': outcome, ...(errorType === undefined ? {} : { 'error.type': errorType }) };
}

/** An attempt's outcome is stored, what follows is published, its message is acknowledged. */
export function settleSpan(job: Pick<Job, 'queue'>, outcome: Outcome, next: Next | undefined): SpanFacts {
  return {
    name: `settle ${job.queue}`,
    kind: 'client',
    shared: SETTLE,
    attributes: {
      'jetbeat.outcome': outcome,
      ...(next === undefined ? {} : { 'jetbeat.next': next.state }),
      ...(next?.state === 'retrying' ? { 'jetbeat.next.run_at': isoTime(next.runAt) } : {}),
    },
  };
}

/** History has the attempt; the transaction wrote `events` events. */
export function recordSpan(job: { readonly id: string; readonly runId: string }, events: number): SpanFacts {
  return {
    name: 'record',
    kind: 'consumer',
    shared: RECORD,
    attributes: {
      'messaging.batch.message_count': events,
      'jetbeat.job.id': job.id,
      'jetbeat.run.id': job.runId,
    },
  };
}

/** The span id of an attempt: it follows from the run, whose last 8 bytes are random (RFC 9562, UUID version 7). */
export function attemptSpanId(runId: string): string {
  return runId.slice(19, 23) + runId.slice(24);
}

function messageAttributes(job: Job): Record<string, string | number> {
  return {
    ...SYSTEM,
    'messaging.destination.name': `jobs.${job.queue}.${job.priority}.${job.task}`,
    'messaging.destination.template': TEMPLATE,
    'messaging.message.id': messageId(job),
  };
}

function jobAttributes({ id, task, queue, priority, attempt, run }: Job): Record<string, string | number> {
  return {
    'jetbeat.job.id': id,
    'jetbeat.task': task,
    'jetbeat.queue': queue,
    'jetbeat.priority': priority,
    'jetbeat.attempt': attempt,
    'jetbeat.run': run,
  };
}

function scheduleAttributes({ schedule }: Pick<JobEnvelope, 'schedule'>): Record<string, string> {
  if (!schedule) return {};
  return {
    'jetbeat.schedule.name': schedule.name,
    'jetbeat.schedule.nominal_time': isoTime(schedule.nominalTime),
  };
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
