import Type, { type Static } from 'typebox';
import { JOB_STATES } from '../job-state.ts';
import { OUTCOMES } from '../outcome.ts';
import { MAX_ATTEMPTS } from '../policy-input.ts';
import {
  AnyJson,
  CLOSED,
  Duration,
  DurationFor,
  JobId,
  Meta,
  OrNull,
  PAGE_QUERY,
  PageOf,
  PriorityName,
  QueueName,
  ScheduleName,
  TaskName,
  Time,
  TimeFor,
  TimeInput,
} from './format.ts';

const RetryInputSchema = Type.Object(
  {
    attempts: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_ATTEMPTS, description: 'Tries in all, the first included.' }),
    ),
    backoff: Type.Optional(Type.Enum(['exponential'] as const)),
    delay: Type.Optional(Duration),
    factor: Type.Optional(Type.Number({ minimum: 1, maximum: 100 })),
    max: Type.Optional(Duration),
    jitter: Type.Optional(Type.Boolean()),
  },
  {
    ...CLOSED,
    description: 'When and how often a failed job is tried again; what is left out comes from the task.',
  },
);

const TimeoutInputSchema = Type.Object(
  { soft: Type.Optional(Duration), hard: Type.Optional(Duration) },
  { ...CLOSED, description: 'Limits of one attempt: soft aborts its signal, hard ends it.' },
);

/** What a job is, apart from when it runs: the same for a job and for the jobs of a schedule. */
export const JOB_FIELDS = {
  task: TaskName,
  input: AnyJson,
  queue: Type.Optional(QueueName),
  priority: Type.Optional(PriorityName),
  retry: Type.Optional(RetryInputSchema),
  timeout: Type.Optional(TimeoutInputSchema),
  meta: Type.Optional(Meta),
};

/** Body of `POST /jobs`. */
export const JobRequestSchema = Type.Object(
  {
    ...JOB_FIELDS,
    delay: Type.Optional(DurationFor('How long it waits; not together with `runAt`.')),
    runAt: Type.Optional(
      TimeFor('When it runs; at once without it, and when it is over. Not together with `delay`.'),
    ),
  },
  {
    ...CLOSED,
    title: 'JobRequest',
    examples: [{ task: 'system.echo', input: { hello: 'world' }, delay: '5s' }],
  },
);
/** Body of `POST /jobs`. */
export type JobRequest = Static<typeof JobRequestSchema>;

/** Something that the caller should know about what was accepted. */
export const WarningSchema = Type.Object({ code: Type.String(), message: Type.String() }, CLOSED);
/** Something that the caller should know about what was accepted. */
export type Warning = Static<typeof WarningSchema>;

/** Answer of `POST /jobs`. */
export const JobAcceptedSchema = Type.Object(
  {
    id: JobId,
    state: Type.Enum(JOB_STATES),
    created: Type.Boolean({ description: 'False when the job was there before.' }),
    warnings: Type.Array(WarningSchema),
  },
  { ...CLOSED, title: 'JobAccepted' },
);
/** Answer of `POST /jobs`. */
export type JobAccepted = Static<typeof JobAcceptedSchema>;

/** An error as history keeps it. */
const StoredErrorSchema = Type.Object(
  {
    name: Type.String(),
    message: Type.String(),
    code: Type.Optional(Type.String()),
    stack: Type.Optional(Type.String()),
  },
  CLOSED,
);

const AttemptSchema = Type.Object(
  {
    number: Type.Integer({ description: 'From 1; the same again after a run whose worker was lost.' }),
    outcome: OrNull(Type.Enum(OUTCOMES)),
    workerId: Type.String(),
    startedAt: Time,
    finishedAt: OrNull(Time),
    error: Type.Optional(StoredErrorSchema),
  },
  CLOSED,
);

/** Why a thing is as it is. */
export const ReasonSchema = Type.Object({ code: Type.String(), text: Type.String() }, CLOSED);

/** A job. */
export const JobSchema = Type.Object(
  {
    id: JobId,
    task: Type.String(),
    queue: Type.String(),
    priority: PriorityName,
    state: Type.Enum(JOB_STATES),
    reason: Type.Optional(ReasonSchema),
    input: AnyJson,
    meta: Type.Record(Type.String(), Type.String()),
    attempts: Type.Array(AttemptSchema),
    createdAt: Time,
    runAt: Time,
    startedAt: OrNull(Time),
    finishedAt: OrNull(Time),
    expiresAt: OrNull(Time),
    result: Type.Optional(AnyJson),
    error: Type.Optional(StoredErrorSchema),
    traceId: OrNull(Type.String()),
    schedule: Type.Optional(
      Type.Object({ name: Type.String(), nominalTime: Time, origin: Type.String() }, CLOSED),
    ),
    parent: Type.Optional(JobId),
    cut: Type.Optional(
      Type.Array(Type.Enum(['input', 'meta', 'result', 'reason', 'error', 'attempts'] as const), {
        description:
          'Only in lists: what of this job is not whole. Of `input`, `meta` and `result` what is larger than 4 KiB is left out, texts of a larger `reason` or `error` are shortened, and of the `attempts` only the last 20 are there, each with at most 1 KiB of its error. `GET /jobs/{id}` has it all.',
      }),
    ),
  },
  { ...CLOSED, title: 'Job' },
);
/** A job. */
export type Job = Static<typeof JobSchema>;

/** Answer of `GET /jobs`. */
export const JobPageSchema = PageOf(JobSchema);

/** Query of `GET /jobs`. */
export const JobQuerySchema = Type.Object(
  {
    state: Type.Optional(
      Type.Array(Type.Enum(JOB_STATES), {
        maxItems: JOB_STATES.length,
        description: 'One or more states: repeat the parameter, `?state=queued&state=running`.',
      }),
    ),
    task: Type.Optional(TaskName),
    queue: Type.Optional(QueueName),
    schedule: Type.Optional(ScheduleName),
    from: Type.Optional(
      Type.String({
        ...TimeInput,
        description:
          'RFC 3339; a `+` in an address is written `%2B`. Created at this time or later; for a job of a schedule its nominal time counts.',
      }),
    ),
    to: Type.Optional(Type.String({ ...TimeInput, description: 'RFC 3339. Created before this time.' })),
    ...PAGE_QUERY,
  },
  CLOSED,
);
/** Query of `GET /jobs`. */
export type JobQuery = Static<typeof JobQuerySchema>;

/** Body of `POST /jobs/{id}/cancel`. */
export const CancelRequestSchema = Type.Object(
  {
    reason: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1_024, description: 'Why it is cancelled; the job keeps it.' }),
    ),
  },
  { ...CLOSED, title: 'CancelRequest', examples: [{ reason: 'no longer needed' }] },
);
/** Body of `POST /jobs/{id}/cancel`. */
export type CancelRequest = Static<typeof CancelRequestSchema>;
