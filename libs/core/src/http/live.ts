import Type, { type Static } from 'typebox';
import { JOB_STATES, type JobState } from '../jobs/job-state.ts';
import { OUTCOMES } from '../jobs/outcome.ts';
import { AnyJson, CLOSED, JobId, OrNull, PriorityName, QueueName, TaskName, Time } from './format.ts';
import { JobSchema, ReasonSchema } from './job.ts';

/** States of which no event tells: that a job is being cancelled knows whoever does so, and nothing is `blocked` yet. */
const UNTOLD = ['blocked', 'cancelling'] as const satisfies readonly JobState[];

/** Whether an event tells of a job in this state. */
export function isTold(state: JobState): state is Exclude<JobState, (typeof UNTOLD)[number]> {
  return !(UNTOLD as readonly JobState[]).includes(state);
}

/** What an event of the stream can be called: what became of a job, how far it is, that a worker is there or has stopped. */
export const LIVE_TYPES = [
  ...JOB_STATES.filter(isTold).map((state) => `job.${state}` as const),
  'job.progress',
  'worker.running',
  'worker.stopped',
] as const;
/** What an event of the stream can be called. */
export type LiveType = (typeof LIVE_TYPES)[number];

/** Most values of one filter. */
const MAX_VALUES = 50;

/** Where a stream goes on. */
export const EVENT_ID_PATTERN = '^[0-9a-z]{1,12}\\.\\d{1,16}(\\.\\d{1,7})?$';

/** Query of `GET /events`. */
export const LiveQuerySchema = Type.Object(
  {
    type: Type.Optional(
      Type.Array(Type.Enum(LIVE_TYPES), {
        maxItems: LIVE_TYPES.length,
        description: 'Only events of these types: repeat the parameter. A `gap` comes in any case.',
      }),
    ),
    queue: Type.Optional(
      Type.Array(QueueName, { maxItems: MAX_VALUES, description: 'Only of these queues.' }),
    ),
    task: Type.Optional(
      Type.Array(TaskName, { maxItems: MAX_VALUES, description: 'Only of jobs of these tasks.' }),
    ),
    job: Type.Optional(Type.Array(JobId, { maxItems: MAX_VALUES, description: 'Only of these jobs.' })),
    lastEventId: Type.Optional(
      Type.String({
        pattern: EVENT_ID_PATTERN,
        description:
          'The `id` after which it goes on, for whoever cannot send the header `Last-Event-ID`, which counts more.',
      }),
    ),
  },
  CLOSED,
);
/** Query of `GET /events`. */
export type LiveQuery = Static<typeof LiveQuerySchema>;

/** What of a job an event says: fields of `Job`, by the same names. */
const LiveJobSchema = Type.Object(
  {
    id: JobId,
    task: Type.String(),
    queue: Type.String(),
    priority: PriorityName,
    state: Type.Enum(JOB_STATES),
    createdAt: Time,
    runAt: Time,
    nextRunAt: Type.Optional(Time),
    startedAt: Type.Optional(Time),
    finishedAt: Type.Optional(Time),
    reason: Type.Optional(ReasonSchema),
    progress: Type.Optional(
      Type.Object({ value: Type.Number(), note: Type.Optional(Type.String()) }, CLOSED),
    ),
    result: Type.Optional(AnyJson),
    error: Type.Optional(
      Type.Object(
        { name: Type.String(), message: Type.String(), code: Type.Optional(Type.String()) },
        CLOSED,
      ),
    ),
    traceId: Type.String(),
    cut: Type.Optional(
      Type.Array(Type.Enum(['result', 'reason', 'error'] as const), {
        description: 'What is not whole here, as in lists. `GET /jobs/{id}` has it all.',
      }),
    ),
    hidden: Type.Optional(
      Type.Array(Type.String(), { description: 'What whoever asks may not see, as in `Job`.' }),
    ),
  },
  CLOSED,
);

/** The data of an event about a job. */
export const LiveJobEventSchema = Type.Object(
  {
    type: Type.Enum(LIVE_TYPES),
    at: Type.String({ ...Time, description: 'When it happened.' }),
    job: LiveJobSchema,
    attempt: Type.Object(
      {
        number: Type.Integer(),
        workerId: Type.Optional(Type.String()),
        outcome: Type.Optional(Type.Enum(OUTCOMES)),
      },
      CLOSED,
    ),
    order: Type.Integer({
      description:
        'Events may come late or twice: of two of one job the greater one is later. An end is final, whatever comes after it.',
    }),
  },
  { ...CLOSED, title: 'JobEvent' },
);
/** The data of an event about a job. */
export type LiveJobEvent = Static<typeof LiveJobEventSchema>;

/** The data of an event about a worker. */
export const LiveWorkerEventSchema = Type.Object(
  {
    type: Type.Enum(['worker.running', 'worker.stopped'] as const),
    at: Time,
    worker: Type.Object(
      {
        id: Type.String(),
        host: Type.String(),
        pid: Type.Integer(),
        version: Type.String(),
        queues: Type.Array(Type.String()),
        concurrency: Type.Integer(),
        held: OrNull(
          Type.Integer({
            description: 'Jobs that it holds; null where it has other queues too, which the key may not see.',
          }),
        ),
        startedAt: Time,
      },
      CLOSED,
    ),
  },
  { ...CLOSED, title: 'WorkerEvent' },
);
/** The data of an event about a worker. */
export type LiveWorkerEvent = Static<typeof LiveWorkerEventSchema>;

/** Why a stream cannot tell all. */
export const GAP_REASONS = ['slow', 'trimmed', 'too-far', 'unknown', 'restarted'] as const;
/** Why a stream cannot tell all. */
export type GapReason = (typeof GAP_REASONS)[number];

/** The data of a `gap`: what came between was not told. */
export const LiveGapSchema = Type.Object(
  {
    type: Type.Literal('gap'),
    reason: Type.Enum(GAP_REASONS, {
      description:
        '`slow`: it was not read fast enough; `trimmed`: it is not kept any more; `too-far`: it is more than a stream catches up with; `unknown`: no such id was given out; `restarted`: the store of events is another one.',
    }),
    from: OrNull(Type.String({ description: 'The id after which it is missing, where one is known.' })),
    to: Type.String({ description: 'The id from which on nothing is missing.' }),
  },
  { ...CLOSED, title: 'Gap' },
);
/** The data of a `gap`: what came between was not told. */
export type LiveGap = Static<typeof LiveGapSchema>;

/** The data of any event of `GET /events`. */
export const LiveEventSchema = Type.Union([LiveJobEventSchema, LiveWorkerEventSchema, LiveGapSchema], {
  title: 'LiveEvent',
});
/** The data of any event of `GET /events`. */
export type LiveEvent = Static<typeof LiveEventSchema>;

/** The data of any event of `GET /jobs/{id}/events`: the job, or what happened to it. */
export const JobStreamEventSchema = Type.Union([JobSchema, LiveJobEventSchema], { title: 'JobStreamEvent' });
/** The data of any event of `GET /jobs/{id}/events`: the job, or what happened to it. */
export type JobStreamEvent = Static<typeof JobStreamEventSchema>;
