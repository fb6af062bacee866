import Type, { type Static } from 'typebox';
import { ConfigError } from './config-error.ts';

const closed = { additionalProperties: false } as const;
const Count = (maximum: number, usual: number, description: string) =>
  Type.Integer({ minimum: 1, maximum, default: usual, description });
const Bytes = (usual: string, description: string) =>
  Type.String({ pattern: '^\\d{1,9}(KiB|MiB|GiB)$', examples: [usual], default: usual, description });

const UNITS: Readonly<Record<string, number>> = { KiB: 1_024, MiB: 1_024 ** 2, GiB: 1_024 ** 3 };
const DEFAULTS = { limit: 1_000, perCaller: 100, waiting: '64MiB', waitingPerClient: '256KiB' } as const;
/** What a client must be allowed: an event is a few kilobytes, and several go out together. Bytes. */
const LEAST_WAITING = 16_384;
/** Connections that are left for requests where there are as many streams as there may be. */
const LEAST_BESIDE = 50;

/** How many streams of events there may be, and what may wait for those who read them. */
export const STREAMS = Type.Object(
  {
    limit: Type.Optional(
      Count(100_000, DEFAULTS.limit, 'Streams of events that are open at once, of everybody.'),
    ),
    perCaller: Type.Optional(
      Count(
        100_000,
        DEFAULTS.perCaller,
        'The same of one key with all sessions of it, or of one person of the provider.',
      ),
    ),
    waiting: Type.Optional(
      Bytes(DEFAULTS.waiting, 'What may wait in memory for clients that read slowly, of all of them.'),
    ),
    waitingPerClient: Type.Optional(
      Bytes(
        DEFAULTS.waitingPerClient,
        'The same of one client: with more it is told of a `gap`. 16 KiB at least.',
      ),
    ),
  },
  { ...closed, description: 'Streams of events. Each process of the API counts for itself.' },
);

/** Connections that may be open at once where nothing is said. */
export const USUAL_CONNECTIONS = 5_000;
/** Connections that may be open at once. */
export const CONNECTIONS = Count(
  100_000,
  USUAL_CONNECTIONS,
  'Connections that may be open at once to one process of the API, those of streams included.',
);

/** The same, every default filled in. */
export interface StreamLimits {
  readonly streams: number;
  readonly perCaller: number;
  /** Bytes that wait for slow clients, of all of them. */
  readonly waitingBytes: number;
  /** Bytes that wait for one client, the most where few are connected and the least where many are. */
  readonly waitingOfOne: { readonly most: number; readonly least: number };
}

/**
 * Fills in the defaults.
 * @throws ConfigError where they cannot all hold
 */
export function streamLimits(section: Static<typeof STREAMS> | undefined, connections: number): StreamLimits {
  const { limit, perCaller, waiting, waitingPerClient } = { ...DEFAULTS, ...section };
  const most = bytesOf(waitingPerClient);
  const waitingBytes = bytesOf(waiting);
  const problems = [
    ...(most < LEAST_WAITING ? [`api.streams.waitingPerClient: ${waitingPerClient} is less than 16KiB`] : []),
    ...(waitingBytes < limit * LEAST_WAITING
      ? [
          `api.streams.waiting: ${waiting} is less than 16KiB for each of ${limit} streams (api.streams.limit)`,
        ]
      : []),
    ...(limit + LEAST_BESIDE > connections
      ? [
          `api.connections: ${connections} leaves less than ${LEAST_BESIDE} beside ${limit} streams (api.streams.limit)`,
        ]
      : []),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  return { streams: limit, perCaller, waitingBytes, waitingOfOne: { most, least: LEAST_WAITING } };
}

function bytesOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)(\D+)$/.exec(text) ?? [];
  return Number(count) * (UNITS[unit] ?? Number.NaN);
}
