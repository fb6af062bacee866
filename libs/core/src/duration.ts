import { InvalidInputError } from './errors.ts';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/;
/** The longest duration that is accepted: ten years, in milliseconds. */
export const MAX_DURATION_MS = 3_650 * UNITS.d;
/** The written form of a duration, for schemas. */
export const DURATION_PATTERN = '^\\d{1,12}(\\.\\d{1,6})?(ms|s|m|h|d)$';

/**
 * Reads a duration: one number and one unit of `ms s m h d`, e.g. `"90s"`.
 * @returns whole milliseconds, at most ten years
 * @throws InvalidInputError when the text is no duration
 */
export function parseDuration(text: string, pointer = ''): number {
  const match = PATTERN.exec(text);
  const unit = match?.[2] as keyof typeof UNITS | undefined;
  const ms = match && unit ? Math.round(Number(match[1]) * UNITS[unit]) : Number.NaN;
  if (!(ms <= MAX_DURATION_MS)) {
    const suggestion = durationMeant(text);
    const hint = suggestion === undefined ? ', e.g. "90s"' : `; did you mean "${suggestion}"?`;
    const message = `${JSON.stringify(text)} is not a duration: write one number and one unit of ms, s, m, h, d, at most 3650d${hint}`;
    const issue = { pointer, code: 'invalid_duration', message };
    throw new InvalidInputError(message, [suggestion === undefined ? issue : { ...issue, suggestion }]);
  }
  return ms;
}

/** What is longer is no slip. */
const MAX_SPELT = 32;
const SPELT = /^(?:(\d{1,9}(?:\.\d{1,3})?) ?([a-z]{0,12})|([a-z]{3,12}))$/i;
const SPELLINGS: readonly (readonly [unit: keyof typeof UNITS, words: RegExp])[] = [
  ['ms', /^(ms|msecs?|millis|milliseconds?)$/i],
  ['s', /^(s|secs?|seconds?)?$/i],
  ['m', /^(m|mins?|minutes?)$/i],
  ['h', /^(h|hrs?|hours?)$/i],
  ['d', /^(d|days?)$/i],
];

/**
 * The duration that somebody probably meant who wrote a unit in another way, or none: then seconds, as in most other systems; or a unit alone.
 * Undefined where that cannot be told.
 */
export function durationMeant(written: unknown): string | undefined {
  if (typeof written !== 'number' && typeof written !== 'string') return undefined;
  const text = String(written);
  const [, said, behind = '', alone] = (text.length <= MAX_SPELT && SPELT.exec(text.trim())) || [];
  const [number, word] = alone === undefined ? [said, behind] : ['1', alone];
  const unit = SPELLINGS.find(([, words]) => words.test(word))?.[0];
  return number === undefined || unit === undefined || Number(number) * UNITS[unit] > MAX_DURATION_MS
    ? undefined
    : `${number}${unit}`;
}

/** Writes milliseconds in the largest unit that holds them exactly, e.g. `90_000` as `"90s"`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms !== 0 && ms % UNITS[unit] === 0) return `${ms / UNITS[unit]}${unit}`;
  }
  return `${ms}ms`;
}
