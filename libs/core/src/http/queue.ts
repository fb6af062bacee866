import Type, { type Static } from 'typebox';
import { RATE_SCOPES } from '../limits/rate-limit.ts';
import { CLOSED, DurationFor, OrNull, PageOf, QueueName, Time, TimeFor } from './format.ts';

const Concurrency = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  description: 'Jobs of the queue that run at once, over all workers.',
});
const MaxDepth = Type.Integer({
  minimum: 1,
  maximum: 1_000_000_000,
  description: 'Jobs that may wait; beyond it new ones are refused.',
});
const RateLimitSchema = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Jobs that begin in each `period`.' }),
    period: DurationFor('From 1s to 1d.'),
    burst: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Jobs that may begin at once.' }),
    ),
    per: Type.Optional(
      Type.Enum(RATE_SCOPES, {
        description:
          'What is counted: all jobs of the queue together, the default; or those of each task, or each concurrency key, whose task says no rate itself.',
      }),
    ),
  },
  { ...CLOSED, description: 'How many jobs of the queue begin in a time, over all workers.' },
);
/** A rate limit as it is written. */
export type RateLimitInput = Static<typeof RateLimitSchema>;

/** Body of `PUT` and `PATCH /queues/{name}`. */
export const QueueRequestSchema = Type.Object(
  {
    concurrency: Type.Optional(OrNull(Concurrency)),
    rateLimit: Type.Optional(OrNull(RateLimitSchema)),
    maxDepth: Type.Optional(OrNull(MaxDepth)),
    version: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          'Of the queue as it was read: nothing is changed if somebody else has changed it since. The same as its `ETag` in `If-Match`.',
      }),
    ),
  },
  {
    ...CLOSED,
    title: 'QueueRequest',
    description: 'Null: as the configuration says.',
    examples: [{ concurrency: 5 }],
  },
);
/** Body of `PUT` and `PATCH /queues/{name}`. */
export type QueueRequest = Static<typeof QueueRequestSchema>;

/** Body of `POST /queues/{name}/pause`. */
export const QueuePauseRequestSchema = Type.Object(
  {
    note: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024, description: 'Why it is paused.' })),
    until: Type.Optional(TimeFor('When it goes on by itself.')),
  },
  { ...CLOSED, title: 'QueuePauseRequest', examples: [{ note: 'maintenance of the mail server' }] },
);
/** Body of `POST /queues/{name}/pause`. */
export type QueuePauseRequest = Static<typeof QueuePauseRequestSchema>;

/** Body of `POST /queues/{name}/purge`. */
export const PurgeRequestSchema = Type.Object(
  {
    confirm: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 512,
        description: '`confirm` of the answer that told the count.',
      }),
    ),
    timers: Type.Optional(
      Type.Boolean({ default: false, description: 'Whether jobs that wait for their time go too.' }),
    ),
  },
  { ...CLOSED, title: 'PurgeRequest', examples: [{}] },
);
/** Body of `POST /queues/{name}/purge`. */
export type PurgeRequest = Static<typeof PurgeRequestSchema>;

const Count = Type.Integer({ minimum: 0 });

/** Answer of `POST /queues/{name}/purge`. */
export const PurgeAnswerSchema = Type.Object(
  {
    state: Type.Enum(['unconfirmed', 'running', 'done'], {
      description: '`unconfirmed`: nothing was done; repeat with `confirm` to remove what was counted.',
    }),
    count: Type.Optional(
      Type.Object(
        { waiting: Count, parked: Count, timers: Count },
        {
          ...CLOSED,
          description: 'What would go; of timers at most 10,000 are counted.',
        },
      ),
    ),
    confirm: Type.Optional(Type.String()),
    removed: Type.Optional(Count),
  },
  { ...CLOSED, title: 'PurgeAnswer' },
);
/** Answer of `POST /queues/{name}/purge`. */
export type PurgeAnswer = Static<typeof PurgeAnswerSchema>;

const LimitsFields = {
  concurrency: OrNull(Concurrency),
  rateLimit: OrNull(RateLimitSchema),
  maxDepth: OrNull(MaxDepth),
};

/** A queue. */
export const QueueSchema = Type.Object(
  {
    name: QueueName,
    version: Type.Integer({
      description: 'Rises with every change; 0 of a queue of which nobody has said anything.',
    }),
    ...LimitsFields,
    configured: Type.Object(LimitsFields, {
      ...CLOSED,
      description: 'What the configuration says: it holds where nothing was said at run time.',
    }),
    paused: OrNull(
      Type.Object(
        { by: Type.String(), note: OrNull(Type.String()), since: Time, until: OrNull(Time) },
        CLOSED,
      ),
    ),
    waiting: OrNull(
      Type.Object(
        { high: Count, normal: Count, low: Count },
        {
          ...CLOSED,
          description:
            'Jobs that wait for a worker, by priority. Null while NATS does not answer or they cannot be counted; in a list also of a queue without consumers, where jobs wait under more than 5,000 names of queues and tasks.',
        },
      ),
    ),
    held: OrNull(
      Type.Integer({
        description:
          'Jobs that were handed out and are not done: running ones, and those that a worker holds or has given back.',
      }),
    ),
    oldestMs: OrNull(
      Type.Integer({
        description:
          'How long the oldest job that waits has been waiting, milliseconds. Null also where it was not looked for: of queues without consumers all but the 100 fullest.',
      }),
    ),
    running: Count,
    scheduled: Type.Integer({ description: 'Jobs that wait for their time.' }),
    retrying: Type.Integer({ description: 'Jobs that wait for their next attempt.' }),
    parked: Type.Record(Type.String(), Count, {
      description: 'Jobs that may not start now, by the code of the reason.',
    }),
    capped: Type.Array(Type.Enum(['scheduled', 'retrying', 'parked', 'running', 'cancelling'] as const), {
      description:
        'States of which there are more than 10,000 jobs in all queues: what is told of them is a least number.',
    }),
    perMinute: Type.Object(
      { succeeded: Count, failed: Count, ended: Count },
      {
        ...CLOSED,
        description:
          'Attempts that succeeded and that came to anything else, and jobs that ended without one, within the last minute; recorders add what they have counted every 5 s.',
      },
    ),
    workers: Type.Array(Type.String(), { description: 'Live workers that take its jobs.' }),
    onlyHistory: Type.Optional(
      Type.Literal(true, {
        description:
          'Nothing is left of it but the history of its jobs: it was deleted, or never made. A job, a worker or `PUT` makes it anew. Not told while NATS does not answer: jobs may wait.',
      }),
    ),
    purge: OrNull(
      Type.Object(
        { by: Type.String(), at: Time, timers: Type.Boolean(), removed: Count, doneAt: OrNull(Time) },
        { ...CLOSED, description: 'The last purge.' },
      ),
    ),
  },
  { ...CLOSED, title: 'Queue' },
);
/** A queue. */
export type Queue = Static<typeof QueueSchema>;

/** Answer of `GET /queues`: in the order of their names. */
export const QueuePageSchema = PageOf(QueueSchema);
