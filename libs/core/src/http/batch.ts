import Type, { type Static } from 'typebox';
import { BATCH_ACTIONS } from '../jobs/batch.ts';
import { JOB_STATES } from '../jobs/job-state.ts';
import { MAX_SEARCH } from '../search/search.ts';
import {
  CLOSED,
  JobId,
  Meta,
  OrNull,
  PAGE_QUERY,
  PageOf,
  QueueName,
  ScheduleName,
  TaskName,
  Time,
  TimeFor,
} from './format.ts';
import { WarningSchema } from './job.ts';

/** Most jobs that a batch can be given by their ids. */
const MAX_IDS = 1_000;

const Action = Type.Enum(BATCH_ACTIONS, {
  description:
    '`cancel` what is not over; `retry` what is over, as new jobs; `run-now` what waits for its time; `replay` dead letters, as new jobs; `discard` dead letters.',
});

/** Body of `POST /batches`. */
export const BatchRequestSchema = Type.Object(
  {
    action: Action,
    filter: Type.Object(
      {
        state: Type.Optional(
          Type.Array(Type.Enum(JOB_STATES), {
            minItems: 1,
            maxItems: JOB_STATES.length,
            description:
              'Without it: all in which the action can be done; for `retry` those that are dead or have expired.',
          }),
        ),
        ids: Type.Optional(
          Type.Array(JobId, { minItems: 1, maxItems: MAX_IDS, description: 'These jobs alone.' }),
        ),
        task: Type.Optional(TaskName),
        queue: Type.Optional(QueueName),
        schedule: Type.Optional(ScheduleName),
        reason: Type.Optional(
          Type.String({ minLength: 1, maxLength: 128, description: 'Code of the reason of its state.' }),
        ),
        meta: Type.Optional(Type.Intersect([Meta], { description: 'Notes that it has.' })),
        search: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: MAX_SEARCH,
            description: 'As of `GET /jobs`.',
            examples: ['task:send* error:timeout'],
          }),
        ),
        from: Type.Optional(
          TimeFor('Of jobs made at this time or later. Without it and without `ids`: the last 7 days.'),
        ),
        to: Type.Optional(TimeFor('Of jobs made before this time.')),
      },
      { ...CLOSED, description: 'Which jobs; it holds as of now: what is made later is none of them.' },
    ),
    rate: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000,
        default: 100,
        description: 'How many in a second at most.',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'With how many it is done at most.' }),
    ),
    reason: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 500,
        description: 'Why; kept with it, and with what it cancels.',
      }),
    ),
    dryRun: Type.Optional(
      Type.Boolean({ default: false, description: 'Only counts, up to 10,000, and tells what these are.' }),
    ),
  },
  {
    ...CLOSED,
    title: 'BatchRequest',
    examples: [{ action: 'cancel', filter: { task: 'report.send', state: ['queued'] }, dryRun: true }],
  },
);
/** Body of `POST /batches`. */
export type BatchRequest = Static<typeof BatchRequestSchema>;

/** How a batch stands. */
const BATCH_STATES = ['counted', 'running', 'aborting', 'aborted', 'done'] as const;

/** A batch. */
export const BatchSchema = Type.Object(
  {
    id: OrNull(Type.String({ description: 'Null where it was only counted.' })),
    action: Action,
    state: Type.Enum(BATCH_STATES, {
      description: '`aborting`: what was begun of it is being ended, nothing more is begun.',
    }),
    filter: Type.Object(
      {
        state: Type.Array(Type.Enum(JOB_STATES)),
        ids: Type.Optional(Type.Array(JobId)),
        task: Type.Optional(Type.String()),
        queue: Type.Optional(Type.String()),
        schedule: Type.Optional(Type.String()),
        reason: Type.Optional(Type.String()),
        meta: Type.Optional(Type.Record(Type.String(), Type.String())),
        search: Type.Optional(Type.String()),
        from: OrNull(Time),
        to: OrNull(Time),
        queues: Type.Optional(
          Type.Array(Type.String(), { description: 'The only queues of whoever asked for it.' }),
        ),
      },
      { ...CLOSED, description: 'As it was frozen.' },
    ),
    rate: Type.Integer(),
    limit: OrNull(Type.Integer()),
    total: Type.Object(
      { value: Type.Integer(), capped: Type.Boolean({ description: 'There may be more.' }) },
      { ...CLOSED, description: 'How many there were when it was asked for.' },
    ),
    preview: Type.Optional(
      Type.Object(
        {
          of: Type.Integer({ description: 'Of how many of those that were counted it tells.' }),
          states: Type.Record(Type.String(), Type.Integer()),
          queues: Type.Record(Type.String(), Type.Integer(), {
            description: 'The 20 with the most of the jobs, with how many of them.',
          }),
          tasks: Type.Record(Type.String(), Type.Integer(), { description: 'The same.' }),
          first: Type.Array(
            Type.Object(
              {
                id: JobId,
                task: Type.String(),
                queue: Type.String(),
                state: Type.Enum(JOB_STATES),
                createdAt: Time,
              },
              CLOSED,
            ),
            { description: 'Up to five, with which it would begin.' },
          ),
        },
        { ...CLOSED, description: 'Where it was only counted: what these jobs are.' },
      ),
    ),
    done: Type.Integer(),
    skipped: Type.Integer({
      description: 'With those nothing had to be done, or could be any more: they had gone on meanwhile.',
    }),
    failed: Type.Integer(),
    failures: Type.Array(Type.Object({ jobId: JobId, code: Type.String(), message: Type.String() }, CLOSED), {
      description: 'The first 100 of those that failed.',
    }),
    waitingFor: Type.Optional(
      Type.String({ description: 'Why it does not get on now; it goes on by itself.' }),
    ),
    by: OrNull(Type.String({ description: 'Who asked for it.' })),
    reason: Type.Optional(Type.String()),
    createdAt: OrNull(Time),
    abortedAt: OrNull(Time),
    finishedAt: OrNull(Time),
    warnings: Type.Array(WarningSchema),
    cut: Type.Optional(
      Type.Array(Type.Enum(['ids', 'failures'] as const), {
        description:
          'Only in lists: what of this batch is not whole. More than 20 `ids` of its filter are left out, and of its `failures` the first 5 are there. `GET /batches/{id}` has it all.',
      }),
    ),
  },
  { ...CLOSED, title: 'Batch' },
);
/** A batch. */
export type Batch = Static<typeof BatchSchema>;

/** Answer of `GET /batches`. */
export const BatchPageSchema = PageOf(BatchSchema);

/** Query of `GET /batches`. */
export const BatchQuerySchema = Type.Object(
  {
    action: Type.Optional(Action),
    state: Type.Optional(Type.Enum(['running', 'aborting', 'aborted', 'done'] as const)),
    ...PAGE_QUERY,
  },
  CLOSED,
);
/** Query of `GET /batches`. */
export type BatchQuery = Static<typeof BatchQuerySchema>;
