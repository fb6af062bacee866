import Type, { type Static } from 'typebox';
import { TASK_LIMITS } from './config-task-limits.ts';

const closed = { additionalProperties: false } as const;
const Queue = Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', examples: ['media'] });
const Duration = (example: string, description: string) =>
  Type.String({ pattern: '^\\d{1,12}(\\.\\d{1,6})?(ms|s|m|h|d)$', examples: [example], description });
/** A task's name in which `*` stands for any characters. */
export const Glob = Type.String({
  pattern: '^(?=.{1,128}$)[A-Za-z0-9_*-]+(\\.[A-Za-z0-9_*-]+)*$',
  examples: ['media.*'],
});
/** The name of a task. */
const Task = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,64}(\\.[A-Za-z0-9_-]{1,64})*$',
  maxLength: 128,
  examples: ['report.failed'],
});
/** Where what has happened is sent. */
export const Webhook = Type.Object(
  {
    url: Type.String({ pattern: '^https?://', maxLength: 8_192, examples: ['https://example.org/hook'] }),
    secret: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{1,64}$',
        examples: ['billing'],
        description: 'Name of a secret under `webhooks.secrets`, with which it is signed.',
      }),
    ),
  },
  closed,
);
const Kinds = (description: string, options: object = {}) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 64, description, ...options });

const Retry = Type.Object(
  {
    attempts: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000, description: 'Tries in all, the first included.' }),
    ),
    backoff: Type.Optional(
      Type.Enum(['fixed', 'linear', 'exponential'], {
        description: 'How delays grow. Not beside a list of delays.',
      }),
    ),
    delay: Type.Optional(
      Type.Union(
        [
          Duration('5s', 'Before the second try.'),
          Type.Array(Duration('5s', 'One of them.'), { minItems: 1, maxItems: 100 }),
        ],
        {
          description: 'Before the second try; or all delays one after the other, of which the last repeats.',
        },
      ),
    ),
    factor: Type.Optional(Type.Number({ minimum: 1, maximum: 100, description: 'For `exponential`.' })),
    max: Type.Optional(Duration('10m', 'The longest delay.')),
    jitter: Type.Optional(
      Type.Boolean({
        description:
          'A delay is drawn between nothing and its bound. Where nothing is said, so it is for `exponential` alone.',
      }),
    ),
    retryOn: Type.Optional(
      Kinds('Names of error classes, and codes: nothing else is tried again.', { minItems: 1 }),
    ),
    noRetryOn: Type.Optional(
      Kinds(
        'Names of error classes, and codes, of what is never tried again; wins over `retryOn`. Empty: there are none.',
      ),
    ),
  },
  { ...closed, description: 'When and how often a failed job is tried again.' },
);

const POLICY = {
  retry: Type.Optional(Retry),
  timeout: Type.Optional(
    Type.Object(
      {
        soft: Type.Optional(Duration('55m', 'Aborts the signal of the attempt.')),
        hard: Type.Optional(Duration('60m', 'Ends the attempt.')),
      },
      { ...closed, description: 'Limits of one attempt.' },
    ),
  ),
};

const Callback = Type.Object(
  {
    task: Type.Optional(Task),
    input: Type.Optional(
      Type.Unknown({
        description:
          'A mapping, to which what has happened is added as `parent`; anything where `pass` is false.',
      }),
    ),
    pass: Type.Optional(
      Type.Boolean({ description: 'False: the task gets `input` as it is.', default: true }),
    ),
    webhook: Type.Optional(Webhook),
    queue: Type.Optional(Queue),
    priority: Type.Optional(Type.Enum(['high', 'normal', 'low'])),
    ...POLICY,
  },
  {
    ...closed,
    description: 'A job that is made when another one has ended; it has either `task` or `webhook`.',
  },
);
const Callbacks = (meaning: string) =>
  Type.Union([Callback, Type.Array(Callback, { maxItems: 10 })], {
    description: `${meaning} One or a list; an empty list: nothing, whatever is said below this.`,
    examples: [{ webhook: { url: 'https://example.org/hook', secret: 'billing' } }],
  });

const Isolation = Type.Enum(['inline', 'thread', 'process']);

const FIELDS = {
  queue: Type.Optional(Queue),
  priority: Type.Optional(Type.Enum(['high', 'normal', 'low'])),
  ...POLICY,
  isolation: Type.Optional(
    Type.Union(
      [
        Isolation,
        Type.Object(
          {
            kind: Isolation,
            maxJobs: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: 1_000_000,
                description: 'A child process ends after so many jobs.',
              }),
            ),
            maxMemory: Type.Optional(
              Type.String({
                pattern: '^\\d{1,9}(\\.\\d{1,3})?(MiB|GiB)$',
                examples: ['400MiB'],
                description: 'A child process that holds more after a job ends; at least 64MiB.',
              }),
            ),
          },
          closed,
        ),
      ],
      {
        description:
          'Where the handler runs: in the worker itself, in a thread of it, or in a child process, which alone takes `maxJobs` and `maxMemory`.',
        default: 'inline',
      },
    ),
  ),
  onSuccess: Type.Optional(Callbacks('What is run when a job has succeeded.')),
  onFailure: Type.Optional(Callbacks('What is run when a job is dead, or has expired.')),
  expires: Type.Optional(
    Duration(
      '3h',
      'How long after its run time a job may begin a run; later it ends as `expired`. Counted from the nominal time for jobs of schedules.',
    ),
  ),
};

/** What may be said of one task alone. */
const TASK_FIELDS = { ...FIELDS, ...TASK_LIMITS };

/** What may be said of the jobs of a queue. */
export const QUEUE_CALLBACKS = { onSuccess: FIELDS.onSuccess, onFailure: FIELDS.onFailure };

/** Where jobs go, and what holds for them. What only core can tell (it reads them) is not said here. */
export const SETTINGS_SECTIONS = {
  routing: Type.Optional(
    Type.Record(Glob, Queue, {
      ...closed,
      description:
        'Queues by task: the exact name, else the first pattern that fits, in the order of the file; `*` stands for any characters. A call that names a queue wins, a task that does loses.',
      propertyNames: { examples: ['media.*'] },
      examples: [{ 'media.*': 'media' }],
    }),
  ),
  tasks: Type.Optional(
    Type.Record(Glob, Type.Object(TASK_FIELDS, closed), {
      ...closed,
      description:
        'What holds for tasks, by name or pattern as in `routing`; of these one entry counts, the exact or the first. It wins over what the task says itself, and a call wins over it.',
      propertyNames: { examples: ['media.*'] },
      examples: [{ 'media.*': { timeout: { hard: '2h' }, retry: { attempts: 2 } } }],
    }),
  ),
  defaults: Type.Optional(
    Type.Object(FIELDS, {
      ...closed,
      description: 'What holds where neither call, nor configuration, nor task says anything.',
    }),
  ),
};

const Sections = Type.Object({
  ...SETTINGS_SECTIONS,
  queues: Type.Optional(Type.Record(Queue, Type.Object(QUEUE_CALLBACKS))),
});
type Sections = Static<typeof Sections>;

/** Where jobs go and what holds for them, as it is written. */
export interface SettingsSections {
  readonly settings: Sections;
}

/** Takes these sections out of the file. */
export function settingsSections({ routing, tasks, defaults, queues = {} }: Sections): Sections {
  const calling = Object.entries(queues).flatMap(([name, { onSuccess, onFailure }]) =>
    onSuccess === undefined && onFailure === undefined
      ? []
      : [[name, { ...(onSuccess && { onSuccess }), ...(onFailure && { onFailure }) }] as const],
  );
  return {
    ...(routing === undefined ? {} : { routing }),
    ...(tasks === undefined ? {} : { tasks }),
    ...(defaults === undefined ? {} : { defaults }),
    ...(calling.length === 0 ? {} : { queues: Object.fromEntries(calling) }),
  };
}

/** The queues that these sections send jobs to. */
export function queuesOf({ routing = {}, tasks = {}, defaults = {} }: Sections): string[] {
  const named = [defaults, ...Object.values(tasks)].map(({ queue }) => queue);
  return [...Object.values(routing), ...named].filter((queue) => queue !== undefined);
}
