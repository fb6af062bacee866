import Type, { type Static } from 'typebox';
import { ConfigError } from './config-error.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Uses are noted to the minute, so that less would end sessions that are used. */
const LEAST_MS = 5 * MINUTE_MS;
/** RFC 6265bis §5.5: browsers keep a cookie 400 days at most; nobody should be signed in for as long. */
const MOST_MS = 90 * DAY_MS;

const IDLE_MS = 8 * 60 * MINUTE_MS;
const ABSOLUTE_MS = 7 * DAY_MS;

const Span = (description: string, usual: string) =>
  Type.String({
    pattern: '^\\d{1,12}(\\.\\d{1,6})?(ms|s|m|h|d)$',
    default: usual,
    examples: [usual],
    description,
  });

/** How long people who sign in with a browser stay signed in. */
export const SESSIONS = Type.Object(
  {
    idle: Type.Optional(Span('So long without a request, and the session is over: 5m to 90d.', '8h')),
    absolute: Type.Optional(
      Span('So long after it began it is over in any case: `idle` to 90d. It never outlasts its key.', '7d'),
    ),
  },
  {
    additionalProperties: false,
    description:
      'How long people who sign in with a browser stay signed in. It holds for sessions that begin from then on.',
  },
);

/** How long sessions last, milliseconds. */
export interface SessionTimes {
  readonly idleMs: number;
  readonly absoluteMs: number;
}

/**
 * Fills in the defaults.
 * @throws ConfigError for times that are too short or too long
 */
export function sessionTimes(
  section: Static<typeof SESSIONS> | undefined,
  milliseconds: (duration: string) => number,
): SessionTimes {
  const { idle, absolute } = section ?? {};
  const idleMs = idle === undefined ? IDLE_MS : milliseconds(idle);
  const absoluteMs = absolute === undefined ? ABSOLUTE_MS : milliseconds(absolute);
  const problems: string[] = [];
  const wrong = (name: 'idle' | 'absolute', text: string | undefined, why: string) =>
    problems.push(
      `api.sessions.${name} (JETBEAT_SESSIONS_${name.toUpperCase()}): ${JSON.stringify(text)} is ${why}`,
    );
  if (isOutside(idleMs)) wrong('idle', idle, 'not between 5m and 90d');
  if (isOutside(absoluteMs)) wrong('absolute', absolute, 'not between 5m and 90d');
  if (problems.length === 0 && idle !== undefined && idleMs > absoluteMs)
    wrong('idle', idle, `longer than api.sessions.absolute, ${absolute ?? '7d'}`);
  if (problems.length > 0) throw new ConfigError(problems);
  // Whoever makes only the other one shorter means both.
  return { idleMs: Math.min(idleMs, absoluteMs), absoluteMs };
}

function isOutside(value: number): boolean {
  return !(value >= LEAST_MS && value <= MOST_MS);
}
