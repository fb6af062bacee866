import Type, { type TSchema } from 'typebox';

const closed = { additionalProperties: false } as const;

/**
 * A rate, as it is written: so many in each period.
 * @param whose what it is a rate of, with an article: `the queue`
 */
export function rateSection<P extends TSchema>(whose: string, per: P) {
  return Type.Object(
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
      per: Type.Optional(per),
    },
    { ...closed, description: `How many jobs of ${whose} begin in a time, over all workers.` },
  );
}
