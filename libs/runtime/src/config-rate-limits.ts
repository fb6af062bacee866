import Type, { type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

const Rate = (what: string, usual: { limit: number; period: string; burst: number } | null) =>
  Type.Union(
    [
      Type.Object(
        {
          limit: Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Requests in each `period`.' }),
          period: Type.String({
            pattern: '^\\d{1,12}(\\.\\d{1,6})?(ms|s|m|h|d)$',
            examples: ['1s'],
            description: 'The time in which they are counted.',
          }),
          burst: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 10_000_000,
              description: 'Requests that may come at once after a pause. By default as many as `limit`.',
            }),
          ),
        },
        closed,
      ),
      Type.Null(),
    ],
    { description: `${what} null: no limit.`, default: usual },
  );

/** How many honest requests come is for the operator to know; back-pressure guards the process from too many. */
const DEFAULTS = {
  key: null,
  address: null,
  failures: { limit: 60, period: '1m', burst: 60 },
};

/** How often one may ask the API. */
export const RATE_LIMITS = Type.Object(
  {
    key: Type.Optional(
      Rate(
        'Requests with one key and in all sessions of it, or of one person of the provider.',
        DEFAULTS.key,
      ),
    ),
    address: Type.Optional(Rate('Requests from one address (of IPv6: from one /64).', DEFAULTS.address)),
    failures: Type.Optional(
      Rate(
        'Requests without a right key from one address, before it is not heard any more.',
        DEFAULTS.failures,
      ),
    ),
  },
  {
    ...closed,
    description:
      'How often one may ask the API before it answers 429. Each process of the API counts for itself.',
  },
);

/** Requests that may come in a time: `limit` in each period, `burst` at once after a pause. */
interface RequestRate {
  readonly limit: number;
  /** Milliseconds. */
  readonly periodMs: number;
  readonly burst: number;
}

/** The rates; what is absent is not limited. */
export type RequestRates = Readonly<Partial<Record<keyof typeof DEFAULTS, RequestRate>>>;

/** Fills in the defaults. */
export function requestRates(
  section: Static<typeof RATE_LIMITS> | undefined,
  milliseconds: (duration: string) => number,
): RequestRates {
  const all: Static<typeof RATE_LIMITS> = { ...DEFAULTS, ...section };
  const rates = Object.entries(all).flatMap(([name, rate]) => {
    if (rate === null) return [];
    const { limit, period, burst = limit } = rate;
    return [[name, { limit, periodMs: Math.max(1, milliseconds(period)), burst }] as const];
  });
  return Object.fromEntries(rates);
}
