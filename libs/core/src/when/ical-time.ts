import { DAY_MS } from './civil.ts';
import { isZone } from './zone.ts';

/** A time as iCalendar writes it (RFC 5545 §3.3.4, §3.3.5). */
export interface IcalTime {
  /** The reading of the clock, as if it were UTC; milliseconds. */
  readonly local: number;
  /** The zone whose clock it is; `undefined` for a floating one, which is that of whoever looks. */
  readonly zone: string | undefined;
  /** A whole day. */
  readonly isDay: boolean;
}

const FORM = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z)?)?$/;
const DURATION =
  /^([+-])?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?$/;

/**
 * Reads `20261225`, `20261225T090000` or `20261225T080000Z`.
 * @returns a text that says what is wrong where it cannot be read
 */
export function readIcalTime(text: string, tzid?: string): IcalTime | string {
  const match = FORM.exec(text.trim());
  const [year, month, day, hour = 0, minute = 0, second = 0] = (match?.slice(1, 7) ?? []).map((part) =>
    part === undefined ? undefined : Number(part),
  );
  if (!match || year === undefined || month === undefined || day === undefined)
    return `${quote(text)} is no time: write 20261225, 20261225T090000 or 20261225T080000Z`;
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(local);
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour;
  if (!exists || minute > 59 || second > 59) return `${quote(text)} is no time of any calendar`;
  const zone = match[7] ? 'UTC' : tzid;
  // A feed may name its zones as it likes; without its own tables nothing but IANA names means something.
  if (zone !== undefined && !isZone(zone)) return `TZID ${quote(zone)} is no IANA time zone`;
  return { local, zone, isDay: match[4] === undefined };
}

/** Reads `P1D`, `PT1H30M` …, in milliseconds; `undefined` when it is none, or negative. */
export function readIcalDuration(text: string): number | undefined {
  const match = DURATION.exec(text.trim());
  if (!match || match[1] === '-') return undefined;
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(2)
    .map((part) => Number(part ?? 0));
  return (weeks * 7 + days) * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1_000;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
