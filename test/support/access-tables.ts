import type { Route, Things } from './access.ts';

/** Each may do what the ones before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;

/** For each request with a body one that would do something, in the queue of these things. */
export function bodyOf({ operation, hasBody }: Route, { queue, task, schedule, apiKey }: Things): unknown {
  const job = { task, queue, input: {} };
  const plan = { when: { cron: '0 4 * * *' }, job };
  const bodies: Readonly<Record<string, unknown>> = {
    createJob: job,
    createJobs: { jobs: [job] },
    patchJob: { priority: 'high' },
    createSchedule: { name: `${schedule}2`, ...plan },
    createSchedules: { schedules: [{ name: `${schedule}3`, ...plan }] },
    putSchedule: plan,
    patchSchedule: { overlap: 'allow' },
    backfillSchedule: { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z', dryRun: true },
    previewSchedule: { when: { cron: '0 4 * * *' } },
    putQueue: { concurrency: 1 },
    changeQueue: { concurrency: 1 },
    changeTask: { rateLimit: null },
    replayDeadLetters: { filter: {}, dryRun: true },
    createBatch: { action: 'cancel', filter: {}, dryRun: true },
    createApiKey: { name: 'more', role: 'viewer', queues: [queue] },
    setWorkerConcurrency: { value: 1 },
    setWorkerQueues: { add: [queue] },
    endSessions: { key: apiKey },
  };
  return hasBody ? (bodies[operation] ?? {}) : undefined;
}

type Refusal = readonly [status: number, code: RegExp];

/** What is answered where the thing is of another queue. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  every: [403, /^needs_every_queue$/],
  new: [403, /^(queue_not_allowed|key_exceeds_maker)$/],
  queue: [404, /^queue_not_found$/],
  job: [404, /^job_not_found$/],
  schedule: [404, /^schedule_not_found$/],
  'dead-letter': [404, /^dead_letter_not_found$/],
  task: [404, /^task_not_found$/],
  batch: [404, /^(batch|replay)_not_found$/],
  worker: [404, /^worker_not_found$/],
};
/** What would be made under this name. */
const MADE: Readonly<Record<string, Refusal>> = {
  putQueue: [403, /^queue_not_allowed$/],
  putSchedule: [409, /^schedule_exists$/],
};
/** What only admins may name, by path. */
const OF_ADMINS: Readonly<Record<string, Refusal>> = {
  '/api-keys/{id}': [404, /^key_not_found$/],
  '/sessions/{id}': [404, /^session_not_found$/],
};

/** Where admins see and do more than whoever else may ask, or are asked for in the body. */
const ASKED_BY: Readonly<Record<string, readonly (typeof ROLES)[number][]>> = {
  listSessions: ['viewer', 'admin'],
  revokeSession: ['viewer', 'admin'],
  endSessions: ['admin'],
};

/** What somebody is told who is for another queue; undefined: the route answers, without what is of that queue. */
export function refusalOf({ operation, path, scope }: Route): Refusal | undefined {
  return MADE[operation] ?? OF_ADMINS[path] ?? REFUSALS[scope];
}

/** As whom a route is to be asked: those for whom it answers differently, the one with the most rights last. */
export function rolesOf({ operation, role }: Route): readonly Route['role'][] {
  return ASKED_BY[operation] ?? [role];
}
