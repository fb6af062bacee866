import Type from 'typebox';

const closed = { additionalProperties: false } as const;
const Key = Type.String({ minLength: 1, maxLength: 256, examples: ['host-{input.host}'] });
/** How many jobs of a task run at once, and how often they begin. */
export const TASK_LIMITS = {
  concurrencyKey: Type.Optional(
    Type.Union(
      [
        Key,
        Type.Object(
          {
            key: Key,
            limit: Type.Optional(
              Type.Integer({ minimum: 1, maximum: 1_000, default: 1, description: 'How many at once.' }),
            ),
          },
          closed,
        ),
      ],
      {
        description:
          'At most one of its jobs with this key runs at once, over all workers, or `limit` of them; places such as `{input.host}` stand for what the input says. A key in the call wins.',
      },
    ),
  ),
  rateLimit: Type.Optional(
    Type.Object(
      {
        limit: Type.Integer({
          minimum: 1,
          maximum: 1_000_000,
          description: 'Jobs that begin in each `period`.',
        }),
        period: Type.String({
          pattern: '^\\d{1,12}(\\.\\d{1,6})?(ms|s|m|h|d)$',
          examples: ['1m'],
          description: 'From 1s to 1d.',
        }),
        burst: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Jobs that may begin at once.' }),
        ),
        per: Type.Optional(
          Type.Enum(['task', 'key'], {
            description: 'What is counted: all jobs of the task together, or those of each concurrency key.',
            default: 'task',
          }),
        ),
      },
      { ...closed, description: 'How many jobs of a task begin in a time, over all workers.' },
    ),
  ),
};
