import ICAL from 'ical.js';
import { InvalidInputError } from '../errors.ts';
import { DAY_MS } from './civil.ts';
import { type IcalTime, readIcalDuration, readIcalTime } from './ical-time.ts';
import { type RruleParts, readRruleParts } from './rrule-parts.ts';

/** The longest feed that is accepted, in characters: what is read in some milliseconds. */
export const MAX_ICAL_LENGTH = 65_536;
/** The most events that repeat in one feed: each of them is asked about each time. */
export const MAX_REPEATING = 50;

/** An event of a calendar feed. */
export interface IcalEvent {
  readonly start: IcalTime;
  /** Milliseconds on the clock of its start; 0 for an event that is only a moment. */
  readonly length: number;
  readonly repeats?: RruleParts;
  /** Further starts, beside those of the rule. */
  readonly also: readonly IcalTime[];
  /** Starts that are left out. */
  readonly except: readonly IcalTime[];
}

/** A property as jCal has it (RFC 7265 §3.4): its name, its parameters, its type, and a value or more. */
type Property = readonly [
  name: string,
  params: Readonly<Record<string, string>>,
  type: string,
  ...values: unknown[],
];
type Component = readonly [name: string, properties: readonly Property[], components: readonly Component[]];

/**
 * Reads the events of an iCalendar feed: whole days and times, with RRULE, RDATE, EXDATE and moved instances (RECURRENCE-ID);
 * cancelled ones are left out.
 * @throws InvalidInputError with the code `invalid_ical`
 */
export function parseIcal(text: string, pointer = ''): IcalEvent[] {
  if (!/^\s*BEGIN:/i.test(text)) throw invalid('it does not begin with BEGIN:VCALENDAR');
  if (text.length > MAX_ICAL_LENGTH) throw invalid(`it is longer than ${MAX_ICAL_LENGTH} characters`);
  const found = eventsOf(parse(text));
  if (found.length === 0) throw invalid('it has no event (BEGIN:VEVENT … END:VEVENT)');
  // An instance that was moved or cancelled stands apart from the event that repeats, under the same UID.
  const moved = new Map<string, IcalTime[]>();
  for (const event of found) {
    const [instance] = timesOf(event, 'recurrence-id');
    const uid = textOf(event, 'uid') ?? '';
    if (instance) moved.set(uid, [...(moved.get(uid) ?? []), instance]);
  }
  const events = found
    .filter((event) => textOf(event, 'status')?.toUpperCase() !== 'CANCELLED')
    .map((event) => readEvent(event, moved.get(textOf(event, 'uid') ?? '') ?? []));
  if (events.filter(({ repeats }) => repeats).length > MAX_REPEATING)
    throw invalid(`it has more than ${MAX_REPEATING} events that repeat`);
  return events;

  function parse(written: string): unknown[] {
    try {
      return ICAL.parse(written.trim());
    } catch (cause) {
      throw invalid((cause as Error).message.slice(0, 200), cause);
    }
  }

  function readEvent(event: Component, movedTimes: readonly IcalTime[]): IcalEvent {
    const [start] = timesOf(event, 'dtstart');
    if (!start) throw invalid(`an event has no DTSTART${nameOf(event)}`);
    const rule = propertyOf(event, 'rrule');
    const repeats = rule && readRruleParts(ruleText(rule[3]));
    if (typeof repeats === 'string') throw invalid(`RRULE${nameOf(event)}: ${repeats}`);
    return {
      start,
      length: lengthOf(event, start),
      ...(repeats ? { repeats } : {}),
      also: timesOf(event, 'rdate'),
      except: repeats ? [...timesOf(event, 'exdate'), ...movedTimes] : [],
    };
  }

  function lengthOf(event: Component, start: IcalTime): number {
    const [end] = timesOf(event, 'dtend');
    if (end) return Math.max(0, end.local - start.local);
    const duration = textOf(event, 'duration');
    if (duration === undefined) return start.isDay ? DAY_MS : 0;
    const length = readIcalDuration(duration);
    if (length === undefined)
      throw invalid(`DURATION ${JSON.stringify(duration.slice(0, 64))}${nameOf(event)}`);
    return length;
  }

  function timesOf(event: Component, name: string): IcalTime[] {
    return event[1]
      .filter((property) => property[0] === name)
      .flatMap(([, params, , ...values]) => values.map((value) => ({ value, params })))
      .map(({ value, params }) => {
        // A period gives its start and its end; that it begins then is what counts here.
        const time = readIcalTime(plain(Array.isArray(value) ? value[0] : value), params.tzid);
        if (typeof time === 'string') throw invalid(`${name.toUpperCase()} ${time}${nameOf(event)}`);
        return time;
      });
  }

  function invalid(why: string, cause?: unknown): InvalidInputError {
    const message = `the calendar cannot be read: ${why}`;
    return new InvalidInputError(message, [{ pointer, code: 'invalid_ical', message }], { cause });
  }
}

/** The VEVENTs of one calendar, or of several in a row. */
function eventsOf(parsed: readonly unknown[]): Component[] {
  const [first] = parsed;
  const components = (typeof first === 'string' ? [parsed] : parsed) as readonly Component[];
  return components.flatMap((component) =>
    component[0] === 'vevent' ? [component] : component[2].filter(([name]) => name === 'vevent'),
  );
}

function propertyOf(event: Component, name: string): Property | undefined {
  return event[1].find((property) => property[0] === name);
}

function textOf(event: Component, name: string): string | undefined {
  const property = propertyOf(event, name);
  return property && String(property[3]).trim();
}

/** A time of jCal (`2026-12-25T09:00:00`) as iCalendar writes it; a day in the place of a time is one. */
function plain(value: unknown): string {
  return String(value).replaceAll(/[-:]/g, '').replace(/T$/, '');
}

/** A rule of jCal as iCalendar writes it. */
function ruleText(rule: unknown): string {
  return Object.entries(rule as Readonly<Record<string, unknown>>)
    .map(([name, value]) => `${name}=${name === 'until' ? plain(value) : String(value)}`)
    .join(';');
}

function nameOf(event: Component): string {
  const name = textOf(event, 'summary') ?? textOf(event, 'uid');
  return name === undefined ? '' : ` in ${JSON.stringify(name.slice(0, 64))}`;
}
