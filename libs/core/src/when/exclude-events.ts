import type { IcalEvent } from './ical.ts';
import { remember } from './remember.ts';
import { createRrule } from './rrule.ts';
import { beginRrule } from './rrule-text.ts';
import { type Period, type PeriodAt, zoneOf } from './zone.ts';

/** When the stretch that excludes a time ends (Unix milliseconds, exclusive); `undefined` when the time is not excluded. */
export type Excludes = (time: number) => number | undefined;

/** Events of one zone that do not repeat, joined: on the clock of that zone, ascending, apart from each other. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Makes what excludes the times within the events of a feed; floating events and whole days are on the clock of `timeZone`. */
export function excludeEvents(
  events: readonly IcalEvent[],
  timeZone: string,
): { excludes: Excludes; cost: number } {
  const single = new Map<string, Stretch[]>();
  const repeating: Excludes[] = [];
  for (const event of events) {
    const zone = event.start.zone ?? timeZone;
    if (event.repeats)
      repeating.push(excludeRepeating({ ...event, repeats: event.repeats }, zone, zoneOf(zone)));
    const starts = event.repeats ? event.also : [event.start, ...event.also];
    const stretches = single.get(zone) ?? [];
    // An event that is only a moment excludes that moment.
    for (const { local } of starts) stretches.push({ from: local, to: local + Math.max(1, event.length) });
    single.set(zone, stretches);
  }
  const all = [...single].map(([zone, stretches]) => excludeStretches(join(stretches), zoneOf(zone)));
  const asked = [...all, ...repeating];
  return {
    excludes: (time) => latest(asked, time),
    cost: all.length + repeating.length,
  };
}

/** The latest of the ends that several give, so that one leap passes them all. */
export function latest(asked: readonly Excludes[], time: number): number | undefined {
  let end: number | undefined;
  for (const excludes of asked) {
    const found = excludes(time);
    if (found !== undefined && (end === undefined || found > end)) end = found;
  }
  return end;
}

/**
 * The time at which a clock that shows `local` at `time` shows `until`, or the end of the period of its offset if that comes
 * first: what comes then is asked about anew.
 */
export function endOf(period: Period, until: number): number {
  return Math.min(until - period.offset, period.to);
}

function join(stretches: readonly Stretch[]): Stretch[] {
  const joined: Stretch[] = [];
  for (const stretch of [...stretches].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && stretch.from <= last.to)
      joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, stretch.to) };
    else joined.push(stretch);
  }
  return joined;
}

function excludeStretches(stretches: readonly Stretch[], periodAt: PeriodAt): Excludes {
  return (time) => {
    const period = periodAt(time);
    const local = time + period.offset;
    let low = 0;
    let high = stretches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((stretches[middle] as Stretch).to <= local) low = middle + 1;
      else high = middle;
    }
    const found = stretches[low];
    return found && found.from <= local ? endOf(period, found.to) : undefined;
  };
}

function excludeRepeating(
  event: IcalEvent & Required<Pick<IcalEvent, 'repeats'>>,
  zone: string,
  periodAt: PeriodAt,
): Excludes {
  const { start, repeats, except } = event;
  const length = Math.max(1_000, event.length);
  const begun = beginRrule({ parts: repeats, start }, { timeZone: zone, anchor: 0 });
  const next = remember(createRrule(begun).next);
  const left = new Set(except.map(({ local }) => local));
  return (time) => {
    const period = periodAt(time);
    const local = time + period.offset;
    // Any start within `length` before it covers it; of instances that overlap only a few can be left out.
    let found = next(local - length);
    for (let looked = 0; found !== undefined && found <= local && looked < 8; looked += 1) {
      if (!left.has(found)) return endOf(period, found + length);
      found = next(found);
    }
    return undefined;
  };
}
