/** A rule that the oracle can follow minute by minute, without a line of the code that it judges. */
export type OracleRule =
  | { readonly every: number; readonly from: number }
  /** Minutes of the hour, and hours of the day (all where absent), on the clock of `zone`. */
  | { readonly minutes: readonly number[]; readonly hours?: readonly number[]; readonly zone: string };

/** A schedule as the oracle sees it. Times in Unix milliseconds, durations in milliseconds. */
export interface OracleSchedule {
  readonly rule: OracleRule;
  readonly overlap: 'skip' | 'buffer-one' | 'buffer-all' | 'cancel-previous' | 'allow';
  readonly catchUp: 'latest' | 'none' | { readonly all: number };
  readonly window: number;
  /** How long each of its jobs runs. */
  readonly runs: number;
  readonly pause?: { readonly since: number; readonly until: number };
  readonly maxRuns?: number;
}

/** What ought to become of each nominal time. */
export type Outcome = 'dispatched' | 'overlap' | 'replaced' | 'paused' | 'missed' | 'buffered';

const MINUTE = 60_000;

/** Every nominal time in (`from`, `to`], found by looking at each minute. */
function oracleTimes(rule: OracleRule, from: number, to: number): number[] {
  const times: number[] = [];
  if ('every' in rule) {
    for (let time = rule.from; time <= to; time += rule.every) if (time > from) times.push(time);
    return times;
  }
  const { minutes, hours, zone } = rule;
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  const seen = new Set<string>();
  for (let time = Math.ceil((from + 1) / MINUTE) * MINUTE; time <= to; time += MINUTE) {
    const local = clock.format(time);
    const [hour = 0, minute = 0] = local.slice(-5).split(':').map(Number);
    if (!minutes.includes(minute) || (hours !== undefined && !hours.includes(hour))) continue;
    // An hour that comes twice: those that do not run hourly run the first time.
    if (hours !== undefined && seen.has(local)) continue;
    seen.add(local);
    times.push(time);
  }
  return times;
}

/**
 * What ought to become of every nominal time of a schedule, where schedulers pass at each of its times and ends of jobs, but not in
 * (`away.from`, `away.to`).
 */
export function oracleOutcomes(
  schedule: OracleSchedule,
  span: {
    readonly from: number;
    readonly to: number;
    readonly away: { readonly from: number; readonly to: number };
  },
): Map<number, Outcome> {
  const { rule, overlap, pause, runs, maxRuns = Number.POSITIVE_INFINITY } = schedule;
  const { from, to, away } = span;
  const outcomes = new Map<number, Outcome>();
  const isAway = (time: number) => time > away.from && time < away.to;
  const ahead = oracleTimes(rule, from, to);
  const isPaused = (time: number) => pause !== undefined && time > pause.since && time < pause.until;
  let came = 0;
  let ends: number[] = [];
  let waiting: number[] = [];
  const dispatch = (nominal: number, at: number) => {
    outcomes.set(nominal, isPaused(at) ? 'paused' : 'dispatched');
    if (!isPaused(at)) ends.push(at + runs);
  };
  const goOn = (at: number) => {
    ends = ends.filter((end) => end > at);
    while (ends.length === 0 && waiting.length > 0) dispatch(waiting.shift() ?? 0, at);
  };
  const decide = (nominal: number, at: number) => {
    if (isPaused(at)) return outcomes.set(nominal, 'paused');
    if (overlap === 'allow' || ends.length + waiting.length === 0) return dispatch(nominal, at);
    if (overlap === 'skip' || (overlap === 'buffer-one' && waiting.length > 0))
      return outcomes.set(nominal, 'overlap');
    if (overlap === 'cancel-previous') {
      for (const replaced of waiting) outcomes.set(replaced, 'replaced');
      waiting = [];
    }
    waiting.push(nominal);
    return outcomes.set(nominal, 'buffered');
  };
  const come = (times: readonly number[], at: number) => {
    const runnable = caughtUp(
      schedule,
      times.filter((time) => !isPaused(time)),
      at,
    );
    const due: number[] = [];
    for (const time of times) {
      if (came >= maxRuns) return due;
      if (isPaused(time)) outcomes.set(time, 'paused');
      else if (runnable.has(time)) {
        came += 1;
        due.push(time);
      } else outcomes.set(time, 'missed');
    }
    return due;
  };
  for (;;) {
    const moments = [ahead[0], ...ends.filter(() => waiting.length > 0)].filter((one) => one !== undefined);
    let at = Math.min(...moments);
    if (!(at <= to)) return outcomes;
    if (isAway(at)) at = away.to;
    if (at > to) return outcomes;
    const times: number[] = [];
    while (ahead[0] !== undefined && ahead[0] <= at) times.push(ahead.shift() ?? 0);
    goOn(at);
    for (const nominal of come(times, at)) decide(nominal, at);
    // What is cancelled has ended at once.
    if (overlap === 'cancel-previous' && waiting.length > 0) {
      ends = [];
      goOn(at);
    }
  }
}

function caughtUp(schedule: OracleSchedule, times: readonly number[], at: number): Set<number> {
  const { catchUp, window } = schedule;
  const onTime = times.filter((time) => time >= at - 2_000);
  const late = times.filter((time) => time < at - 2_000);
  if (late.length === 0 || catchUp === 'none') return new Set(onTime);
  const most = catchUp === 'latest' ? Number(onTime.length === 0) : catchUp.all;
  const wanted = most === 0 ? [] : late.slice(-most);
  return new Set([...onTime, ...wanted.filter((time) => time >= at - window)]);
}
