/**
 * An independent calculator of when rules on a wall clock fire. It imports nothing, and knows nothing of offsets or of the days of
 * a month: it reads a zone's clock at every minute as `Intl` shows it, and finds gaps and repetitions by looking which readings
 * never came, or came twice.
 */

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const DAY = 24 * 60 * MINUTE;

/** Zones whose clocks change in all the ways there are: by half an hour, by two hours, at midnight, twice a year for Ramadan, and whose rules were changed between 2020 and now. */
export const ZONES = [
  ...['UTC', 'Europe/Paris', 'Europe/London', 'Europe/Chisinau', 'Europe/Volgograd', 'Atlantic/Azores'],
  ...['America/New_York', 'America/St_Johns', 'America/Nuuk', 'America/Scoresbysund', 'America/Havana'],
  ...['America/Mexico_City', 'America/Ciudad_Juarez', 'America/Santiago', 'America/Asuncion'],
  ...['America/Whitehorse', 'Africa/Casablanca', 'Africa/Cairo', 'Africa/Juba', 'Antarctica/Troll'],
  ...['Asia/Kathmandu', 'Asia/Gaza', 'Asia/Amman', 'Asia/Tehran', 'Asia/Beirut', 'Asia/Almaty'],
  ...['Australia/Lord_Howe', 'Australia/Adelaide', 'Pacific/Chatham', 'Pacific/Apia', 'Pacific/Norfolk'],
];

/** What a clock shows. */
export interface Shown {
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

/** Reads a zone's clock: what it shows at a time, as if that were UTC; milliseconds, whole minutes. */
export function clockOf(timeZone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  return (time) => Date.parse(`${format.format(time).replace(' ', 'T')}Z`);
}

/** Every reading of a clock within a stretch of time, and when it was shown. */
export interface ClockRecord {
  readonly from: number;
  readonly to: number;
  readonly shown: ReadonlyMap<number, readonly number[]>;
}

/** Reads a clock at every minute of a stretch; where a quarter of an hour passes on it like any other, its minutes are known. */
export function recordClock(read: (time: number) => number, from: number, to: number): ClockRecord {
  const shown = new Map<number, number[]>();
  const note = (reading: number, time: number) => {
    const seen = shown.get(reading);
    if (seen) seen.push(time);
    else shown.set(reading, [time]);
  };
  let reading = read(from);
  for (let quarter = from; quarter < to; quarter += QUARTER) {
    const next = read(quarter + QUARTER);
    for (let time = quarter; time < quarter + QUARTER; time += MINUTE) {
      note(next - reading === QUARTER ? reading + time - quarter : read(time), time);
    }
    reading = next;
  }
  return { from, to, shown };
}

/**
 * When a rule fires after `from` and up to `to`, which lie within the record by three days at least on both sides.
 * @param both whether a reading that comes twice fires twice
 */
export function firesBetween(
  { shown }: ClockRecord,
  params: {
    readonly from: number;
    readonly to: number;
    readonly gap: 'shift' | 'skip';
    readonly both: boolean;
    readonly fires: (clock: Shown) => boolean;
  },
): number[] {
  const { from, to, gap, both, fires } = params;
  const times = new Set<number>();
  /** Where the clock shows something again, forward or back. */
  const edge = (reading: number, step: number): number => {
    for (let at = reading; Math.abs(at - reading) < 2 * DAY; at += step) if (shown.has(at)) return at;
    throw new Error('the record of the clock does not reach so far');
  };
  const instants = (reading: number): readonly number[] => {
    const seen = shown.get(reading);
    if (seen) return both ? seen : seen.slice(0, 1);
    if (gap === 'skip') return [];
    const first = edge(reading - MINUTE, -MINUTE) + MINUTE;
    const end = edge(reading, MINUTE);
    return (shown.get(reading + end - first) ?? []).slice(0, 1);
  };
  // A clock is never more than a day from UTC, and what it jumps over is never more than a day either.
  for (let reading = from - 2 * DAY; reading < to + 2 * DAY; ) {
    const midnight = new Date(reading).setUTCHours(0, 0, 0, 0);
    const date = dateOf(midnight);
    for (const end = Math.min(midnight + DAY, to + 2 * DAY); reading < end; reading += MINUTE) {
      const minutes = (reading - midnight) / MINUTE;
      const fits = fires({ ...date, hour: Math.floor(minutes / 60), minute: minutes % 60 });
      if (fits) for (const time of instants(reading)) times.add(time);
    }
  }
  return [...times].filter((time) => time > from && time <= to).sort((a, b) => a - b);
}

function dateOf(reading: number): Pick<Shown, 'day' | 'weekday'> {
  const date = new Date(reading);
  return { day: date.getUTCDate(), weekday: date.getUTCDay() };
}

/** The minutes at which a clock jumps, found by reading it every quarter of a day and then closer and closer. */
export function changesOf(read: (time: number) => number, from: number, to: number): number[] {
  const step = 6 * 60 * MINUTE;
  const changes: number[] = [];
  let ahead = read(from) - from;
  for (let time = from; time < to; time += step) {
    const then = read(time + step) - (time + step);
    if (then === ahead) continue;
    let [low, high] = [time, time + step];
    while (high - low > MINUTE) {
      const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE;
      if (read(middle) - middle === ahead) low = middle;
      else high = middle;
    }
    changes.push(high);
    ahead = then;
  }
  return changes;
}
