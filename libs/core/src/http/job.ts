import Type, { type Static } from 'typebox';
import { JOB_STATES } from '../jobs/job-state.ts';
import { OUTCOMES } from '../jobs/outcome.ts';
import {
  AnyJson,
  CLOSED,
  Duration,
  DurationFor,
  Hidden,
  JobId,
  Meta,
  OrNull,
  PriorityName,
  QueueName,
  TaskName,
  Time,
  TimeFor,
  TimeInput,
} from './format.ts';
import { JobPolicySchema } from './job-policy.ts';
import { CallbacksSchema, ConcurrencyKeySchema, RetryInputSchema, TimeoutInputSchema } from './policy.ts';
import {
  DebounceSchema,
  KeepLastSchema,
  ThrottleSchema,
  UniqueKeySchema,
  UniqueRefSchema,
} from './unique.ts';

/** What a job is, apart from when it runs: the same for a job and for the jobs of a schedule. */
export const JOB_FIELDS = {
  task: TaskName,
  input: AnyJson,
  queue: Type.Optional(QueueName),
  priority: Type.Optional(PriorityName),
  retry: Type.Optional(RetryInputSchema),
  timeout: Type.Optional(TimeoutInputSchema),
  expires: Type.Optional(
    DurationFor('How long after its run time it may begin; later it ends as `expired`.'),
  ),
  onSuccess: Type.Optional(CallbacksSchema('What is run when the job has succeeded.')),
  onFailure: Type.Optional(CallbacksSchema('What is run when the job is dead, or has expired.')),
  concurrencyKey: Type.Optional(ConcurrencyKeySchema),
  uniqueKey: Type.Optional(UniqueKeySchema),
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
    expires: Type.Optional(
      Type.Union([Duration, TimeInput], {
        description:
          'A duration from its run time, or a time: a job that has begun no run by then ends as `expired`.',
        examples: ['3h'],
      }),
    ),
    throttle: Type.Optional(ThrottleSchema),
    debounce: Type.Optional(DebounceSchema),
    keepLast: Type.Optional(KeepLastSchema),
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
export const WarningSchema = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    suggestion: Type.Optional(Type.String({ description: 'What was probably meant.' })),
  },
  CLOSED,
);
/** Something that the caller should know about what was accepted. */
export type Warning = Static<typeof WarningSchema>;

/** Of a list. */
export const UnknownNames = Type.Optional(
  Type.Array(WarningSchema, {
    description:
      'Only where nothing was found: names in the filters of which nothing is known, each with the one that was probably meant.',
  }),
);

/** Answer of `POST /jobs`. */
export const JobAcceptedSchema = Type.Object(
  {
    id: JobId,
    state: Type.Enum(JOB_STATES),
    created: Type.Boolean({ description: 'False: another job has the unique key, and this is it.' }),
    replaced: Type.Optional(
      Type.String({ ...JobId, description: 'The job whose place it has taken (`onConflict: "replace"`).' }),
    ),
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
    nextRunAt: Type.Optional(
      Type.String({
        ...Time,
        description: 'Only while it is `retrying`: when its next attempt begins, where a slot is free.',
      }),
    ),
    startedAt: OrNull(Time),
    finishedAt: OrNull(Time),
    expiresAt: OrNull(Time),
    cancelRequestedAt: Type.Optional(
      Type.String({
        ...Time,
        description:
          'Only of one job, not in lists: since when somebody wants it cancelled. That holds, whatever its `state` still says.',
      }),
    ),
    cancelReason: Type.Optional(Type.String({ description: 'Why, if that was said.' })),
    progress: Type.Optional(
      Type.Object(
        { value: Type.Number({ description: 'From 0 to 100.' }), note: Type.Optional(Type.String()) },
        { ...CLOSED, description: 'What its handler has said last of how far it is.' },
      ),
    ),
    result: Type.Optional(AnyJson),
    error: Type.Optional(StoredErrorSchema),
    traceId: OrNull(Type.String()),
    schedule: Type.Optional(
      Type.Object({ name: Type.String(), nominalTime: Time, origin: Type.String() }, CLOSED),
    ),
    requestedBy: Type.Optional(
      Type.Object(
        { kind: Type.Enum(['key', 'session', 'schedule'] as const), id: Type.String(), name: Type.String() },
        {
          ...CLOSED,
          description:
            'Who asked for it: who called the API, or the schedule whose time had come. Absent where a program has enqueued it over NATS, or where it follows from another job (`parent`).',
        },
      ),
    ),
    parent: Type.Optional(JobId),
    callbacks: Type.Optional(
      Type.Array(Type.Object({ id: JobId, task: Type.String(), state: Type.Enum(JOB_STATES) }, CLOSED), {
        description: 'Only of one job, not in lists: the jobs that were made because it has ended.',
      }),
    ),
    unmade: Type.Optional(
      Type.Array(
        Type.Object(
          {
            what: Type.String({ description: '`onFailure:0` is the first callback; or a notice.' }),
            tries: Type.Integer(),
            since: Time,
            nextTryAt: OrNull(Time),
            error: Type.String(),
          },
          CLOSED,
        ),
        {
          description:
            'Only of one job, not in lists: what should have followed its end and could not be made so far. It is tried again; `nextTryAt` is null when it was tried often enough.',
        },
      ),
    ),
    policy: Type.Optional(JobPolicySchema),
    uniqueKey: Type.Optional(UniqueRefSchema),
    retryOf: Type.Optional(
      Type.String({ ...JobId, description: 'The job that this one was made from by a retry.' }),
    ),
    retriedBy: Type.Optional(
      Type.Array(JobId, {
        description:
          'Only of one job, not in lists: the jobs that retries have made from it, at most 20, oldest first.',
      }),
    ),
    hidden: Hidden,
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
