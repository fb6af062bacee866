import Type from 'typebox';
import { MAX_CALLBACKS, MAX_URL } from '../policy/callback.ts';
import { SECRET_PATTERN } from '../policy/callback-input.ts';
import { MAX_CONCURRENCY_KEY, MAX_CONCURRENCY_LIMIT } from '../policy/concurrency.ts';
import { BACKOFFS } from '../policy/policy.ts';
import { MAX_ATTEMPTS, MAX_DELAYS, MAX_KIND, MAX_KINDS } from '../policy/retry-input.ts';
import { CLOSED, Duration, DurationFor, PriorityName, QueueName, TaskName } from './format.ts';

const ErrorKinds = (description: string, options: { minItems?: number } = {}) =>
  Type.Array(Type.String({ minLength: 1, maxLength: MAX_KIND }), {
    maxItems: MAX_KINDS,
    description,
    examples: [['ValidationError', 'ENOENT']],
    ...options,
  });

/** Retry as a request gives it. */
export const RetryInputSchema = Type.Object(
  {
    attempts: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_ATTEMPTS, description: 'Tries in all, the first included.' }),
    ),
    backoff: Type.Optional(
      Type.Enum(BACKOFFS, {
        description:
          'How delays grow: `fixed` not at all, `linear` by `delay` each time, `exponential` by `factor`. Not beside a list of delays.',
      }),
    ),
    delay: Type.Optional(
      Type.Union([Duration, Type.Array(Duration, { minItems: 1, maxItems: MAX_DELAYS })], {
        description: 'Before the second try; or all delays one after the other, of which the last repeats.',
      }),
    ),
    factor: Type.Optional(Type.Number({ minimum: 1, maximum: 100, description: 'For `exponential`.' })),
    max: Type.Optional(DurationFor('The longest delay.')),
    jitter: Type.Optional(
      Type.Boolean({
        description:
          'A delay is drawn evenly between nothing and its bound. Where nothing is said, so it is for `exponential` alone.',
      }),
    ),
    retryOn: Type.Optional(
      ErrorKinds('Names of error classes, and codes: nothing else is tried again.', { minItems: 1 }),
    ),
    noRetryOn: Type.Optional(
      ErrorKinds(
        'Names of error classes, and codes, of what is never tried again; wins over `retryOn`. Empty: there are none.',
      ),
    ),
  },
  {
    ...CLOSED,
    title: 'Retry',
    description:
      'When and how often a failed job is tried again; what is left out comes from the configuration of the task, then from the task.',
  },
);

/** Time limits as a request gives them. */
export const TimeoutInputSchema = Type.Object(
  { soft: Type.Optional(Duration), hard: Type.Optional(Duration) },
  {
    ...CLOSED,
    title: 'Timeout',
    description: 'Limits of one attempt: soft aborts its signal, hard ends it.',
  },
);

const CallbackSchema = Type.Object(
  {
    task: Type.Optional(TaskName),
    input: Type.Optional(
      Type.Unknown({
        description:
          'An object, to which what has happened is added as `parent`; anything where `pass` is false.',
      }),
    ),
    pass: Type.Optional(
      Type.Boolean({ description: 'False: the task gets `input` as it is.', default: true }),
    ),
    webhook: Type.Optional(
      Type.Object(
        {
          url: Type.String({
            pattern: '^https?://',
            maxLength: MAX_URL,
            description: 'Where what has happened is sent, by POST.',
            examples: ['https://example.org/hook'],
          }),
          secret: Type.Optional(
            Type.String({
              pattern: SECRET_PATTERN,
              description: 'Name of a secret in the configuration of the workers, with which it is signed.',
              examples: ['billing'],
            }),
          ),
        },
        CLOSED,
      ),
    ),
    queue: Type.Optional(QueueName),
    priority: Type.Optional(PriorityName),
    retry: Type.Optional(RetryInputSchema),
    timeout: Type.Optional(TimeoutInputSchema),
  },
  {
    ...CLOSED,
    title: 'Callback',
    description: 'A job that is made when another one has ended; it has either `task` or `webhook`.',
    examples: [
      { task: 'report.failed' },
      { webhook: { url: 'https://example.org/hook', secret: 'billing' } },
    ],
  },
);

/** Callbacks as a request gives them, one or a list. */
export function CallbacksSchema(meaning: string) {
  return Type.Union([CallbackSchema, Type.Array(CallbackSchema, { maxItems: MAX_CALLBACKS })], {
    description: `${meaning} One or a list; an empty list: nothing, whatever task, queue and configuration say.`,
  });
}

const ConcurrencyKeyText = Type.String({
  minLength: 1,
  maxLength: MAX_CONCURRENCY_KEY,
  examples: ['host-7'],
});

/** A concurrency key as a request gives it. */
export const ConcurrencyKeySchema = Type.Union(
  [
    ConcurrencyKeyText,
    Type.Object(
      {
        key: ConcurrencyKeyText,
        limit: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: MAX_CONCURRENCY_LIMIT,
            default: 1,
            description: 'How many at once.',
          }),
        ),
      },
      CLOSED,
    ),
  ],
  {
    description:
      'Of all jobs with this key one runs at a time, or `limit` of them, over all workers and queues; the others wait, the oldest goes first.',
    examples: ['host-7', { key: 'host-7', limit: 2 }],
  },
);
