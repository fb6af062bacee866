import Type from 'typebox';
import { rateSection } from './config-rate.ts';

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
    rateSection(
      'a task',
      Type.Enum(['task', 'key'], {
        description: 'What is counted: all jobs of the task together, or those of each concurrency key.',
        default: 'task',
      }),
    ),
  ),
};
