import Type, { type Static } from 'typebox';
import { POLICY_LAYERS } from '../policy/explain-policy.ts';
import { BACKOFFS } from '../policy/policy.ts';
import { AnyJson, CLOSED, Duration } from './format.ts';

const Whose = Type.Enum(POLICY_LAYERS);
const Kinds = Type.Optional(Type.Array(Type.String()));

/** What holds for a job, and whose word it is. */
export const JobPolicySchema = Type.Object(
  {
    retry: Type.Object(
      {
        attempts: Type.Integer(),
        backoff: Type.Optional(Type.Enum(BACKOFFS)),
        delay: Type.Union([Duration, Type.Array(Duration)]),
        factor: Type.Optional(Type.Number()),
        max: Duration,
        jitter: Type.Boolean(),
        retryOn: Kinds,
        noRetryOn: Kinds,
      },
      CLOSED,
    ),
    timeout: Type.Object({ soft: Type.Optional(Duration), hard: Duration }, CLOSED),
    concurrencyKey: Type.Optional(
      Type.Object(
        {
          key: Type.Optional(
            Type.String({
              description: 'Absent for callers that may not see inputs, where the task has made it.',
            }),
          ),
          limit: Type.Integer(),
        },
        CLOSED,
      ),
    ),
    onSuccess: Type.Array(AnyJson),
    onFailure: Type.Array(AnyJson),
    from: Type.Record(Type.String(), Whose, {
      description:
        'Whose word each of them is: of its call, of the `configuration` of the task, of the task itself, of its queue (callbacks), of the configured defaults, or built in.',
      examples: [{ 'retry.attempts': 'call', 'retry.delay': 'task', 'timeout.hard': 'built-in' }],
    }),
  },
  {
    ...CLOSED,
    description:
      'Only of one job, not in lists: what holds for it by the configuration and the tasks as they are now, which its next attempt will go by.',
  },
);
/** What holds for a job, and whose word it is. */
export type JobPolicy = Static<typeof JobPolicySchema>;
