import { nearest } from '../unknown-fields.ts';
import { memo } from './memo.ts';

const DAY = 86_400_000;
/** Zones change their offset by a day at most (Samoa, 2011), so that nothing older than this matters; milliseconds. */
export const MAX_SHIFT_MS = 2 * DAY;
/** No zone changes its offset twice within this: from 2005 to 2055 the least is 7 days (Gaza, 2040). */
const STEP = 6 * DAY;
/** The changes of a zone are looked up for so long a stretch at once. */
const CHUNK = 66 * STEP;
/** Stretches of one zone, and zones, that are remembered: more than there are in use. */
const MAX_CHUNKS = 256;
const MAX_ZONES = 1_024;

/** A stretch of time in which a zone's offset from UTC stays the same. All in milliseconds. */
export interface Period {
  /** Where the stretch begins, or any time within it where that is a year ago or more. */
  readonly from: number;
  /** Where it ends, or where the look ahead ended. */
  readonly to: number;
  /** Whether the offset changes at `to`. */
  readonly changes: boolean;
  readonly offset: number;
  /** The offset just before `from`; the same as `offset` where `from` is not the beginning. */
  readonly before: number;
}

/** What finds the period around a time. */
export type PeriodAt = (time: number) => Period;

/** Whether the runtime knows this IANA zone. */
export function isZone(name: string): boolean {
  if (name.length > 64 || !/^[A-Za-z]/.test(name)) return false;
  try {
    zoneOf(name);
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
 * What finds the periods of a zone. All who ask about one zone get the same: to make one costs 600 us, most of it for `Intl`.
 * @throws RangeError for an unknown zone
 */
export const zoneOf = memo(
  (timeZone: string): PeriodAt => (timeZone === 'UTC' ? () => ALWAYS : createZone(timeZone)),
  MAX_ZONES,
);

const ALWAYS: Period = {
  from: Number.NEGATIVE_INFINITY,
  to: Number.POSITIVE_INFINITY,
  changes: false,
  offset: 0,
  before: 0,
};

/** A change of the clock, and the offsets before it and from it on. */
interface Change {
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

function createZone(timeZone: string): PeriodAt {
  const offsetAt = createOffset(timeZone);
  const look = memo(findChanges, MAX_CHUNKS);
  let recent: Period | undefined;

  return (time) => {
    if (recent && time >= recent.from && time < recent.to) return recent;
    const chunk = Math.floor(time / CHUNK);
    const { offset, changes } = look(chunk);
    const last = changes.findLast(({ at }) => at <= time) ?? look(chunk - 1).changes.at(-1);
    const next = changes.find(({ at }) => at > time) ?? look(chunk + 1).changes[0];
    const now = last?.after ?? offset;
    recent = {
      from: last?.at ?? (chunk - 1) * CHUNK,
      to: next?.at ?? (chunk + 2) * CHUNK,
      changes: next !== undefined,
      offset: now,
      before: last?.before ?? now,
    };
    return recent;
  };

  function findChanges(chunk: number): { readonly offset: number; readonly changes: readonly Change[] } {
    const begin = chunk * CHUNK;
    const first = offsetAt(begin);
    const changes: Change[] = [];
    for (let time = begin, offset = first; time < begin + CHUNK; time += STEP) {
      const then = offsetAt(time + STEP);
      if (then !== offset) changes.push({ at: findChange(time, time + STEP), before: offset, after: then });
      offset = then;
    }
    return { offset: first, changes };
  }

  /** The first second at which the offset is no longer that of `low`. */
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

/** What a zone's clock shows at a time, as if it were UTC; milliseconds. */
export function readingAt(periodAt: PeriodAt, time: number): number {
  return time + periodAt(time).offset;
}

type Reading = [month: number, day: number, year: number, hour: number, minute: number, second: number];

/** Makes a function that gives a zone's offset from UTC at a time, in milliseconds. */
function createOffset(timeZone: string): (time: number) => number {
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
