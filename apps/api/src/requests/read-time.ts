import { InvalidInputError } from '@jetbeat/core';

/**
 * Reads a time whose form the schema has checked.
 * @returns Unix milliseconds
 * @throws InvalidInputError for a day that the month does not have
 */
export function readTime(text: string, pointer: string): number {
  const time = Date.parse(text);
  const [year, month, day] = text.slice(0, 10).split('-').map(Number);
  // `Date.parse` takes the 30th of February for the 2nd of March.
  const lastDay = new Date(Date.UTC(year ?? 0, month ?? 1, 0)).getUTCDate();
  if (Number.isFinite(time) && (day ?? 0) <= lastDay) return time;
  const message = `${JSON.stringify(text)} is no date that exists`;
  throw new InvalidInputError(message, [{ pointer, code: 'invalid_time', message }]);
}
