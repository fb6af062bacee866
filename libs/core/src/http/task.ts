import Type, { type Static } from 'typebox';
import { MAX_RATE, TASK_RATE_SCOPES } from '../limits/rate-input.ts';
import { MAX_CONCURRENCY_KEY, MAX_CONCURRENCY_LIMIT } from '../policy/concurrency.ts';
import {
  AnyJson,
  CLOSED,
  DurationFor,
  OrNull,
  PageOf,
  PriorityName,
  QueueName,
  TaskName,
  Time,
} from './format.ts';
import { JobPolicySchema } from './job-policy.ts';

const Rate = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: MAX_RATE, description: 'Jobs that begin in each `period`.' }),
    period: DurationFor('From 1s to 1d.'),
    burst: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_RATE, description: 'Jobs that may begin at once.' }),
    ),
    per: Type.Optional(
      Type.Enum(TASK_RATE_SCOPES, {
        description: 'What is counted: all jobs of the task together, or those of each concurrency key.',
      }),
    ),
  },
  { ...CLOSED, description: 'How many jobs of the task begin in a time, over all workers.' },
);
const Key = Type.Object(
  {
    key: Type.String({
      minLength: 1,
      maxLength: MAX_CONCURRENCY_KEY,
      description: 'Places such as `{input.host}` stand for what the input says.',
      examples: ['host-{input.host}'],
    }),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_CONCURRENCY_LIMIT,
        description: 'How many at once, 1 by default.',
      }),
    ),
  },
  {
    ...CLOSED,
    description:
      'So many jobs of the task with one key run at once, over all workers. A key in the call wins.',
  },
);

/** Body of `PATCH /tasks/{name}`. */
export const TaskRequestSchema = Type.Object(
  {
    rateLimit: Type.Optional(OrNull(Rate)),
    concurrencyKey: Type.Optional(OrNull(Key)),
    version: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          'Of the task as it was read: nothing is changed if somebody else has changed it since. The same as its `ETag` in `If-Match`.',
      }),
    ),
  },
  {
    ...CLOSED,
    title: 'TaskRequest',
    description: 'Null: as the configuration or the task says.',
    examples: [{ rateLimit: { limit: 10, period: '1m' } }],
  },
);
/** Body of `PATCH /tasks/{name}`. */
export type TaskRequest = Static<typeof TaskRequestSchema>;

const LimitsFields = { rateLimit: OrNull(Rate), concurrencyKey: OrNull(Key) };

/** A task. */
export const TaskSchema = Type.Object(
  {
    name: TaskName,
    version: Type.Integer({ description: 'Rises with every change at run time; 0 where nothing was said.' }),
    ...LimitsFields,
    configured: Type.Object(LimitsFields, {
      ...CLOSED,
      description: 'What the configuration says, else the task: it holds where nothing was said at run time.',
    }),
    queue: OrNull(
      Type.String({
        ...QueueName,
        description:
          'Where a job of it goes whose call says nothing; null: into one that the key may not see.',
      }),
    ),
    priority: PriorityName,
    policy: Type.Object(JobPolicySchema.properties, {
      ...CLOSED,
      description: 'What holds for a job of it whose call says nothing, and whose word each part is.',
    }),
    inputSchema: Type.Optional(AnyJson),
    queues: Type.Array(QueueName, { description: 'From which live workers take it.' }),
    seenAt: OrNull(Time),
    cut: Type.Optional(
      Type.Array(Type.Enum(['inputSchema'] as const), {
        description:
          'Only in lists: an input schema that is larger than 4 KiB is left out; `GET /tasks/{name}` has it.',
      }),
    ),
  },
  { ...CLOSED, title: 'Task' },
);
/** A task. */
export type TaskAnswer = Static<typeof TaskSchema>;

/** Answer of `GET /tasks`: in the order of their names. */
export const TaskPageSchema = PageOf(TaskSchema);
