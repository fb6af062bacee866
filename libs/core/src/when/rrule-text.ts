import { InvalidInputError } from '../errors.ts';
import { DAY_MS, modulo } from './civil.ts';
import { type IcalTime, readIcalTime } from './ical-time.ts';
import type { RruleParams } from './rrule.ts';
import { type RruleParts, readRruleParts } from './rrule-parts.ts';
import { readingAt, zoneOf } from './zone.ts';

/** The longest text of an rrule that is accepted, in characters. */
export const MAX_RRULE_LENGTH = 1_024;

/** What the text of an rrule says. */
export interface RruleText {
  readonly parts: RruleParts;
  readonly start?: IcalTime;
}

/**
 * Reads `FREQ=…`, or lines `DTSTART…` and `RRULE:FREQ=…`.
 * @throws InvalidInputError with the code `invalid_rrule`
 */
export function parseRrule(text: string, pointer = ''): RruleText {
  if (text.length > MAX_RRULE_LENGTH) throw invalid(`it is longer than ${MAX_RRULE_LENGTH} characters`);
  const lines = text.trim().includes(':') ? text.trim().split(/\r?\n/).map(readLine) : [];
  for (const { name } of lines) {
    if (name === 'EXDATE' || name === 'EXRULE')
      throw invalid(`${name}: write the schedule's "exclude" instead`);
    if (name === 'RDATE') throw invalid('RDATE: write a list of rules with {"at": …} instead');
    if (name !== 'DTSTART' && name !== 'RRULE')
      throw invalid(
        `${JSON.stringify(name.slice(0, 32))} does not belong here: write lines DTSTART… and RRULE:…`,
      );
  }
  const rule = lines.length === 0 ? text.trim() : one('RRULE')?.value;
  if (rule === undefined) throw invalid('RRULE is missing');
  const parts = readRruleParts(rule);
  if (typeof parts === 'string') throw invalid(parts);
  const line = one('DTSTART');
  const start = line && readIcalTime(line.value, line.tzid);
  if (typeof start === 'string') throw invalid(`DTSTART ${start}`);
  return start ? { parts, start } : { parts };

  function one(wanted: string): Line | undefined {
    const found = lines.filter(({ name }) => name === wanted);
    if (found.length > 1) throw invalid(`${wanted} is there twice: write a list of rules`);
    return found[0];
  }

  function invalid(why: string): InvalidInputError {
    const message = `${JSON.stringify(text.slice(0, 128))} is not a recurrence rule: ${why}`;
    return new InvalidInputError(message, [{ pointer, code: 'invalid_rrule', message }]);
  }
}

/** A line of iCalendar (RFC 5545 §3.1): `NAME;PARAM=value:value`. */
interface Line {
  readonly name: string;
  readonly tzid?: string;
  readonly value: string;
}

function readLine(line: string): Line {
  const cut = line.indexOf(':');
  const [name = '', ...params] = line.slice(0, Math.max(0, cut)).split(';');
  const tzid = params
    .map((param) => /^TZID="?([^"]*)"?$/i.exec(param)?.[1])
    .find((zone) => zone !== undefined);
  return {
    name: cut < 0 ? line.trim() : name.trim().toUpperCase(),
    ...(tzid === undefined ? {} : { tzid }),
    value: line.slice(cut + 1).trim(),
  };
}

/**
 * Says on which clock a rule runs and where it begins: at DTSTART; without it at `startAt`; without that at midnight of the day
 * `anchor`, so that a rule without times does not run at the odd second at which it was written.
 */
export function beginRrule(
  { parts, start }: RruleText,
  params: { readonly timeZone: string; readonly startAt?: number; readonly anchor: number },
): RruleParams & { readonly zone: string } {
  const zone = start?.zone ?? params.timeZone;
  const { startAt, anchor } = params;
  const { until } = parts;
  // A day as the end is meant whole; a time in UTC is an instant (RFC 5545 §3.3.10).
  const end = until && (until.isDay ? until.local + DAY_MS - 1 : until.local + offsetAt(until));
  return { parts, zone, start: start?.local ?? begin(), ...(end === undefined ? {} : { until: end }) };

  function begin(): number {
    const local = readingAt(zoneOf(zone), startAt ?? anchor);
    return local - modulo(local, startAt === undefined ? DAY_MS : 1_000);
  }

  function offsetAt({ zone: written, local }: IcalTime): number {
    return written === undefined ? 0 : zoneOf(zone)(local).offset;
  }
}
