import { nearest } from './unknown-fields.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Zones change their offset by a day at most (Samoa, 2011), so that nothing older than this matters. */
const LOOK_BACK = 2 * DAY;
const LOOK_AHEAD = 32 * DAY;
/** No zone in use changes its offset twice within this. */
const STEP = 4 * DAY;

/** A stretch of time in which a zone's offset from UTC stays the same. All in milliseconds. */
export interface Period {
  /** Where the stretch begins, or any time within it more than two days after that. */
  readonly from: number;
  /** Where it ends, or where the look ahead ended. */
  readonly to: number;
  /** Whether the offset changes at `to`. */
  readonly changes: boolean;
  readonly offset: number;
  /** The offset just before `from`; the same as `offset` where `from` is not the beginning. */
  readonly before: number;
}

/** Whether the runtime knows this IANA zone. */
export function isZone(name: string): boolean {
  if (name.length > 64 || !/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The known zone whose name is most like this one, if any is. */
export function nearestZone(name: string): string | undefined {
  return nearest(name, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
}

/**
 * Makes a function that finds the period around a time, and keeps the last one that it found (one makes one per schedule).
 * @throws RangeError for an unknown zone
 */
export function createZone(timeZone: string): (time: number) => Period {
  const offsetAt = createOffset(timeZone);
  let known: Period | undefined;

  return (time) => {
    // A look ahead that ended without a change is not trusted near its end: a change may come right after it.
    if (known && time >= known.from && time < (known.changes ? known.to : known.to - LOOK_BACK)) return known;
    const offset = offsetAt(time);
    const changedBefore = offsetAt(time - LOOK_BACK) !== offset;
    const from = changedBefore ? findChange(time - LOOK_BACK, time) : time;
    let to = time;
    let changes = false;
    while (!changes && to < time + LOOK_AHEAD) {
      changes = offsetAt(to + STEP) !== offset;
      to = changes ? findChange(to, to + STEP) : to + STEP;
    }
    known = { from, to, changes, offset, before: changedBefore ? offsetAt(from - 1_000) : offset };
    return known;
  };

  /** The first second at which the offset is no longer that of `low`; of several changes, one of them. */
  function findChange(low: number, high: number): number {
    const offset = offsetAt(low);
    let before = Math.floor(low / 1_000);
    let after = Math.ceil(high / 1_000);
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (offsetAt(middle * 1_000) === offset) before = middle;
      else after = middle;
    }
    return after * 1_000;
  }
}

type Reading = [month: number, day: number, year: number, hour: number, minute: number, second: number];

/** Makes a function that gives a zone's offset from UTC at a time, in milliseconds. */
function createOffset(timeZone: string): (time: number) => number {
  if (timeZone === 'UTC') return () => 0;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return (time) => {
    const [month, day, year, hour, minute, second] = format.format(time).split(/\D+/).map(Number) as Reading;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time / 1_000) * 1_000;
  };
}
