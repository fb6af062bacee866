import { randomBytes } from 'node:crypto';
import {
  type AcceptedEvent,
  FIRST_POSITION,
  type JobEnvelope,
  type JobEvent,
  type JobFacts,
  type ScheduleSpec,
  type SettledEvent,
  uuidV7,
  type WorkerEvent,
} from '@jetbeat/core';
import type { NewJob } from '../jobs/new-job.ts';

// Made-up facts for the tests of this package.

/** A moment that all samples share. */
export const NOON = Date.UTC(2026, 2, 1, 12);
/** The trace of every sample. */
export const TRACE = '0af7651916cd43dd8448eb211c80319c';

/** An id of this moment. */
export function newId(time = NOON): string {
  return uuidV7(time, randomBytes(10));
}

/** The id of a run. */
export function runIdOf(run: number, attempt = 0): string {
  return uuidV7(NOON, Uint8Array.of(attempt, run, 0, 0, 0, 0, 0, 0, 0, 0));
}

/** A job as a producer sends it. */
export function sampleEnvelope(fields: Partial<JobEnvelope> = {}): JobEnvelope {
  const id = fields.id ?? newId();
  return {
    v: 1,
    id,
    task: 'mail.send',
    queue: 'default',
    priority: 'normal',
    input: { to: 'a@example.org' },
    createdAt: NOON,
    runAt: NOON,
    ...FIRST_POSITION,
    ...fields,
  };
}

/** A job as the API writes it. */
export function sampleJob(fields: Partial<JobEnvelope> = {}): NewJob {
  const envelope = sampleEnvelope(fields);
  const state = envelope.runAt > envelope.createdAt ? 'scheduled' : 'queued';
  const traceparent = `00-${TRACE}-b7ad6b7169203331-00`;
  return { envelope, traceparent, state, totalLimitMs: 60_000, origin: envelope.schedule?.origin ?? 'api' };
}

/** What every event of a job says. */
export function sampleFacts(fields: Partial<JobFacts> & { job: string }): JobFacts {
  return {
    task: 'mail.send',
    queue: 'default',
    priority: 'normal',
    createdAt: NOON,
    runAt: NOON,
    ...FIRST_POSITION,
    ...fields,
  };
}

/** A client's job is in JetStream. */
export function accepted(envelope: JobEnvelope, seq = 1): AcceptedEvent {
  return { kind: 'accepted', envelope, traceparent: `00-${TRACE}-b7ad6b7169203331-00`, seq };
}

/** A handler has begun. */
export function started(
  fields: Partial<JobFacts> & { job: string; worker?: string; runId?: string },
): JobEvent {
  const { worker = 'w1', runId = runIdOf(fields.run ?? 1), ...facts } = fields;
  return { ...sampleFacts(facts), kind: 'started', runId, worker, at: NOON + 100 };
}

/** Nobody has answered whether the job is running, so it was put aside. */
export function parked(fields: Partial<JobFacts> & { job: string }): JobEvent {
  return { ...sampleFacts(fields), kind: 'parked', what: 'doubt', at: NOON + 150 };
}

/** An attempt has succeeded, or what else is given. */
export function settled(fields: Partial<SettledEvent> & { job: string }): SettledEvent {
  return {
    ...sampleFacts(fields),
    kind: 'settled',
    runId: runIdOf(fields.run ?? 1),
    worker: 'w1',
    outcome: 'succeeded',
    startedAt: NOON + 100,
    finishedAt: NOON + 200,
    next: { state: 'succeeded' },
    ...fields,
  };
}

/** A worker is alive. */
export function heartbeat(fields: Partial<WorkerEvent> = {}): WorkerEvent {
  return {
    kind: 'worker',
    worker: 'w1',
    state: 'running',
    host: 'here',
    pid: 7,
    version: '0.1.0',
    queues: ['default'],
    concurrency: 10,
    held: 0,
    startedAt: NOON,
    at: NOON,
    ...fields,
  };
}

/** A schedule that fires every minute. */
export function sampleSpec(name: string): ScheduleSpec {
  const job = { task: 'mail.send', input: {} };
  return { name, when: { every: 60_000 }, timeZone: 'UTC', job, overlap: 'skip', catchUp: 'latest' };
}
