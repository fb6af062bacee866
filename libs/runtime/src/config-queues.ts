import Type, { type Static } from 'typebox';
import { ConfigError } from './config-error.ts';
import { rateSection } from './config-rate.ts';
import { QUEUE_CALLBACKS } from './config-settings.ts';

const closed = { additionalProperties: false } as const;

/** The limits of one queue, as they are written. */
export const QUEUE_SECTION = Type.Object(
  {
    concurrency: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'Jobs of the queue that run at once, over all workers.',
      }),
    ),
    rateLimit: Type.Optional(
      rateSection(
        'the queue',
        Type.Enum(['queue', 'task', 'key'], {
          description:
            'What is counted: all jobs of the queue together; or those of each task, or each concurrency key, whose task says no rate itself.',
          default: 'queue',
        }),
      ),
    ),
    maxDepth: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000_000,
        description: 'Jobs that may wait; beyond it new ones are refused.',
      }),
    ),
    ...QUEUE_CALLBACKS,
  },
  closed,
);

/** The limits of one queue at first; what is absent has none. */
export interface QueueConfig {
  readonly concurrency?: number;
  readonly rateLimit?: {
    readonly limit: number;
    readonly periodMs: number;
    readonly burst?: number;
    readonly per?: 'queue' | 'task' | 'key';
  };
  readonly maxDepth?: number;
}

const PERIOD = { min: 1_000, max: 86_400_000 };

/**
 * Reads the section of queues.
 * @throws ConfigError for a period out of its bounds
 */
export function queueLimits(
  section: Readonly<Record<string, Static<typeof QUEUE_SECTION>>> = {},
  milliseconds: (duration: string) => number,
): Map<string, QueueConfig> {
  const problems: string[] = [];
  const read = Object.entries(section).map(([name, queue]): [string, QueueConfig] => {
    // What its jobs call is read with the settings of tasks.
    const { rateLimit, onSuccess: _success, onFailure: _failure, ...rest } = queue;
    if (!rateLimit) return [name, rest];
    const { period, ...counts } = rateLimit;
    const periodMs = milliseconds(period);
    if (periodMs < PERIOD.min || periodMs > PERIOD.max)
      problems.push(`queues.${name}.rateLimit.period must be from 1s to 1d, not ${JSON.stringify(period)}`);
    return [name, { ...rest, rateLimit: { ...counts, periodMs } }];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return new Map(read);
}
