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
    const message = `${JSON.stringify(text)} is not a duration: write one number and one unit of ms, s, m, h, d, at most 3650d, e.g. "90s"`;
    throw new InvalidInputError(message, [{ pointer, code: 'invalid_duration', message }]);
  }
  return ms;
}

/** Writes milliseconds in the largest unit that holds them exactly, e.g. `90_000` as `"90s"`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms !== 0 && ms % UNITS[unit] === 0) return `${ms / UNITS[unit]}${unit}`;
  }
  return `${ms}ms`;
}
