import Type, { type Static } from 'typebox';
import { MAX_CONCURRENCY, MAX_WORKER_QUEUES } from '../worker-control.ts';
import { CLOSED, JobId, OrNull, PAGE_QUERY, PageOf, QueueName, Time } from './format.ts';

const WORKER_STATES = ['running', 'draining', 'silent', 'stopped'] as const;

const WorkersJobSchema = Type.Object(
  {
    id: JobId,
    task: Type.String(),
    queue: Type.String(),
    attempt: Type.Integer(),
    startedAt: Type.Optional(
      Type.String({ ...Time, description: 'Absent while its handler has not begun.' }),
    ),
  },
  CLOSED,
);

/** A worker. */
export const WorkerSchema = Type.Object(
  {
    id: Type.String(),
    state: Type.Enum(WORKER_STATES, {
      description:
        '`draining`: it takes nothing new. `silent`: nothing was heard of it for longer than the acknowledgement wait, so what it had runs elsewhere.',
    }),
    host: Type.String(),
    pid: Type.Integer(),
    version: Type.String(),
    queues: Type.Array(Type.String(), { description: 'From which it takes jobs.' }),
    concurrency: Type.Integer({ description: 'Jobs that it runs at once.' }),
    held: OrNull(
      Type.Integer({
        description: 'Jobs that it has; null where it has other queues too, which the key may not see.',
      }),
    ),
    startedAt: Time,
    heardAt: Time,
    tasks: Type.Array(Type.String(), { description: 'Which it can run.' }),
    running: Type.Optional(
      Type.Integer({
        description:
          'Only of one worker that answers, all of whose queues the key may see: jobs whose handler has begun.',
      }),
    ),
    jobs: Type.Optional(
      Type.Array(WorkersJobSchema, {
        description: 'Only of one worker that answers: what it has now, at most 100.',
      }),
    ),
  },
  { ...CLOSED, title: 'Worker' },
);
/** A worker. */
export type WorkerJson = Static<typeof WorkerSchema>;

/** Answer of `GET /workers`. */
export const WorkerPageSchema = PageOf(WorkerSchema);

/** Query of `GET /workers`. */
export const WorkerQuerySchema = Type.Object(
  {
    state: Type.Optional(Type.Enum(WORKER_STATES)),
    queue: Type.Optional(QueueName),
    ...PAGE_QUERY,
  },
  CLOSED,
);
/** Query of `GET /workers`. */
export type WorkerQuery = Static<typeof WorkerQuerySchema>;

/** Body of `POST /workers/{id}/concurrency`. */
export const ConcurrencyRequestSchema = Type.Object(
  {
    value: Type.Integer({ minimum: 1, maximum: MAX_CONCURRENCY, description: 'Jobs that it runs at once.' }),
  },
  { ...CLOSED, title: 'ConcurrencyRequest', examples: [{ value: 20 }] },
);
/** Body of `POST /workers/{id}/concurrency`. */
export type ConcurrencyRequest = Static<typeof ConcurrencyRequestSchema>;

/** Body of `POST /workers/{id}/queues`. */
export const WorkerQueuesRequestSchema = Type.Object(
  {
    add: Type.Optional(
      Type.Array(QueueName, { maxItems: MAX_WORKER_QUEUES, description: 'From these it takes jobs too.' }),
    ),
    remove: Type.Optional(
      Type.Array(QueueName, {
        maxItems: MAX_WORKER_QUEUES,
        description: 'From these no more; what waits there of them is given back.',
      }),
    ),
  },
  { ...CLOSED, title: 'WorkerQueuesRequest', examples: [{ add: ['reports'] }] },
);
/** Body of `POST /workers/{id}/queues`. */
export type WorkerQueuesRequest = Static<typeof WorkerQueuesRequestSchema>;

/** What a worker has answered. */
export const WorkerToldSchema = Type.Object(
  {
    id: Type.String(),
    state: Type.Enum(['running', 'draining', 'stopping'] as const),
    changed: Type.Boolean({ description: 'False: it was so already.' }),
    queues: Type.Array(Type.String()),
    concurrency: Type.Integer(),
    held: Type.Integer({ description: 'Jobs that it has.' }),
    running: Type.Integer({ description: 'Jobs whose handler has begun.' }),
    givenBack: Type.Integer({ description: 'Jobs that had not begun, and go to other workers.' }),
  },
  { ...CLOSED, title: 'WorkerTold' },
);
/** What a worker has answered. */
export type WorkerTold = Static<typeof WorkerToldSchema>;
