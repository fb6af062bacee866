/** Times of a day: every combination of these, each list ascending and not empty. */
export interface TimesOfDay {
  readonly hours: readonly number[];
  readonly minutes: readonly number[];
  readonly seconds: readonly number[];
}

/** The first of the times at or after `from`; both in seconds since midnight. */
export function timeFrom(times: TimesOfDay, from: number): number | undefined {
  const hour = Math.floor(from / 3_600);
  const minute = Math.floor(from / 60) % 60;
  for (const h of times.hours) {
    if (h < hour) continue;
    for (const m of times.minutes) {
      if (h === hour && m < minute) continue;
      const least = h === hour && m === minute ? from % 60 : 0;
      const s = times.seconds.find((second) => second >= least);
      if (s !== undefined) return h * 3_600 + m * 60 + s;
    }
  }
  return undefined;
}

/** How many times a day has. */
export function countOf({ hours, minutes, seconds }: TimesOfDay): number {
  return hours.length * minutes.length * seconds.length;
}

/** The time at a place in their order, in seconds since midnight. */
export function timeAt({ hours, minutes, seconds }: TimesOfDay, index: number): number {
  const second = seconds[index % seconds.length] as number;
  const minute = minutes[Math.floor(index / seconds.length) % minutes.length] as number;
  const hour = hours[Math.floor(index / seconds.length / minutes.length)] as number;
  return hour * 3_600 + minute * 60 + second;
}

/** Whether it runs at least hourly on the days on which it runs. */
export function isHourly({ hours }: Pick<TimesOfDay, 'hours'>): boolean {
  return hours.length === 24;
}
