import Type, { type Static } from 'typebox';
import {
  AnyJson,
  CLOSED,
  Hidden,
  JobId,
  OrNull,
  PAGE_QUERY,
  PageOf,
  QueueName,
  TaskName,
  Time,
  TimeFor,
  TimeInput,
} from './format.ts';
import { JobSchema, ReasonSchema } from './job.ts';

/** A job that is given up, or a message that never was one. */
export const DeadLetterSchema = Type.Object(
  {
    id: Type.String({ description: 'The id of the job; `message-` and a number for what never was a job.' }),
    task: Type.String(),
    queue: Type.String(),
    reason: ReasonSchema,
    diedAt: Time,
    job: OrNull(JobSchema),
    retries: Type.Optional(
      Type.Array(JobId, { description: 'The jobs that were made of it, of one letter alone: at most 20.' }),
    ),
    hidden: Hidden,
    message: Type.Optional(
      Type.Object(
        {
          subject: OrNull(Type.String({ description: 'Where it was published.' })),
          headers: Type.Record(Type.String(), Type.String()),
          body: Type.String({ description: 'Of a message that never was a job, in base64.' }),
          truncated: Type.Boolean({ description: 'It was too large to be kept whole.' }),
        },
        CLOSED,
      ),
    ),
  },
  { ...CLOSED, title: 'DeadLetter' },
);
/** A job that is given up, or a message that never was one. */
export type DeadLetter = Static<typeof DeadLetterSchema>;

/** Answer of `GET /dead-letters`. */
export const DeadLetterPageSchema = PageOf(DeadLetterSchema);

const FILTER = {
  task: Type.Optional(TaskName),
  queue: Type.Optional(QueueName),
  reason: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      description:
        'Code of the reason, e.g. `attempts_used_up`; `malformed` for messages that never were a job.',
    }),
  ),
};

/** Query of `GET /dead-letters`. */
export const DeadLetterQuerySchema = Type.Object(
  {
    ...FILTER,
    from: Type.Optional(
      Type.String({ ...TimeInput, description: 'RFC 3339. Of jobs made at this time or later.' }),
    ),
    to: Type.Optional(Type.String({ ...TimeInput, description: 'RFC 3339. Of jobs made before this time.' })),
    ...PAGE_QUERY,
  },
  CLOSED,
);
/** Query of `GET /dead-letters`. */
export type DeadLetterQuery = Static<typeof DeadLetterQuerySchema>;

/** Body of `POST /dead-letters/{id}/replay`. */
export const ReplayRequestSchema = Type.Object(
  { input: Type.Optional(AnyJson) },
  { ...CLOSED, title: 'ReplayRequest', examples: [{}] },
);
/** Body of `POST /dead-letters/{id}/replay`. */
export type ReplayRequest = Static<typeof ReplayRequestSchema>;

/** Body of `POST /dead-letters/replay`. */
export const ReplayAllRequestSchema = Type.Object(
  {
    filter: Type.Object(
      {
        ...FILTER,
        from: Type.Optional(TimeFor('Of jobs made at this time or later.')),
        to: Type.Optional(TimeFor('Of jobs made before this time.')),
      },
      {
        ...CLOSED,
        description: 'Which dead letters; {} for all. Those that were replayed before are left out.',
      },
    ),
    rate: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000,
        default: 100,
        description: 'How many in a second at most.',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'How many at most.' })),
    dryRun: Type.Optional(Type.Boolean({ default: false, description: 'Only counts, up to 10,000.' })),
  },
  {
    ...CLOSED,
    title: 'ReplayAllRequest',
    examples: [{ filter: { task: 'report.send' }, rate: 10, dryRun: true }],
  },
);
/** Body of `POST /dead-letters/replay`. */
export type ReplayAllRequest = Static<typeof ReplayAllRequestSchema>;

/** A replay of many dead letters. */
export const ReplaySchema = Type.Object(
  {
    id: OrNull(Type.String({ description: 'Null where it was only counted.' })),
    state: Type.Enum(['counted', 'running', 'aborted', 'done']),
    count: Type.Optional(Type.Integer({ description: 'How many there are, up to 10,000.' })),
    replayed: Type.Integer(),
    skipped: Type.Integer({ description: 'Those whose input is not known any more.' }),
  },
  { ...CLOSED, title: 'Replay' },
);
/** A replay of many dead letters. */
export type Replay = Static<typeof ReplaySchema>;
