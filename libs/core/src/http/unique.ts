import Type from 'typebox';
import { MAX_UNIQUE_KEY, UNIQUE_MODES, UNIQUE_SCOPES } from '../unique/unique.ts';
import { CLOSED, DurationFor } from './format.ts';

const Key = Type.String({ minLength: 1, maxLength: MAX_UNIQUE_KEY, examples: ['report:42'] });
const Scope = Type.Enum(UNIQUE_SCOPES, {
  description: 'Among which jobs it is unique: those of its task (the default), those of its queue, or all.',
});

/** A unique key as a request gives it. */
export const UniqueKeySchema = Type.Union(
  [
    Key,
    Type.Object(
      {
        key: Key,
        while: Type.Optional(
          Type.Enum(['unfinished', 'queued'] as const, {
            description:
              'Until when the job holds it: until it is over (the default), or until a run of it begins. Not together with `for`.',
          }),
        ),
        for: Type.Optional(
          DurationFor('The key is held for so long from this request on, whatever becomes of the job.'),
        ),
        scope: Type.Optional(Scope),
        onConflict: Type.Optional(
          Type.Enum(['existing', 'replace'] as const, {
            description:
              'Where another job has the key: answer with that one (the default), or take its place if no run of it has begun; it ends as `cancelled`.',
          }),
        ),
      },
      CLOSED,
    ),
  ],
  {
    description:
      'One job at a time has this key. A text alone is held until the job is over. Needs NATS: 503 `messaging_unavailable` while it is away.',
    examples: ['report:42', { key: 'report:42', while: 'queued', onConflict: 'replace' }],
  },
);

/** A throttle as a request gives it. */
export const ThrottleSchema = Type.Object(
  { key: Key, period: DurationFor('From the first request on.'), scope: Type.Optional(Scope) },
  {
    ...CLOSED,
    description:
      'The first request of a period makes the job, the others are answered with it. Not together with `uniqueKey`.',
    examples: [{ key: 'sync:7', period: '1m' }],
  },
);

/** A debounce as a request gives it. */
export const DebounceSchema = Type.Object(
  {
    key: Key,
    delay: DurationFor('How long to wait for the next request, which takes the place of this one.'),
    maxWait: Type.Optional(
      DurationFor(
        'The longest that requests may put the job off, from the first of them on; without it there is no bound.',
      ),
    ),
    scope: Type.Optional(Scope),
  },
  {
    ...CLOSED,
    description:
      'The last of a flurry of requests runs; those before it end as `cancelled`, reason `replaced`. Not together with `delay`, `runAt`.',
    examples: [{ key: 'index:7', delay: '5s', maxWait: '1m' }],
  },
);

/** The key of jobs of which the last is kept, as a request gives it. */
export const KeepLastSchema = Type.String({
  ...Key,
  description:
    'Of the jobs of the task with this key one runs at a time, and at most one waits, that of the last request; it takes the place of the one that waited before. Not together with `concurrencyKey`.',
  examples: ['deploy:web'],
});

/** The key of a job as answers show it. */
export const UniqueRefSchema = Type.Object(
  {
    key: Type.String(),
    scope: Type.Enum(UNIQUE_SCOPES),
    mode: Type.Enum(UNIQUE_MODES, {
      description: 'Until when it is held: until the job is over, until a run begins, or for a period.',
    }),
  },
  { ...CLOSED, description: 'The key that it is unique by.' },
);
