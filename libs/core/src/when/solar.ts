import { getTimes, type SunTimes } from 'suncalc';
import { DAY_MS } from './civil.ts';
import type { Rule, SolarEvent } from './rule.ts';
import type { TimeRule } from './time-rule.ts';

/** How suncalc calls the events. */
const NAMES = {
  dawn_astronomical: 'nightEnd',
  dawn_nautical: 'nauticalDawn',
  dawn_civil: 'dawn',
  sunrise: 'sunrise',
  solar_noon: 'solarNoon',
  sunset: 'sunset',
  dusk_civil: 'dusk',
  dusk_nautical: 'nauticalDusk',
  dusk_astronomical: 'night',
} as const satisfies Record<SolarEvent, keyof SunTimes>;

/** What a place does not have within this it never has. */
const MAX_DAYS = 370;

/** The place and the event of a solar rule. */
export type Solar = Extract<Rule, { solar: unknown }>['solar'];

/**
 * Makes the rule of an event of the sun. A day on which it does not come (polar day, polar night) has none. It knows no wall
 * clock; times are whole seconds, true to about a minute.
 */
export function createSolar(solar: Solar): TimeRule {
  return {
    next: (after) => {
      // A solar day is named by its noon in UTC, and its events lie within a day of that.
      const first = Math.floor(after / DAY_MS) - 1;
      for (let day = first; day < first + MAX_DAYS; day += 1) {
        const time = solarTime(solar, day);
        if (time !== undefined && time > after) return time;
      }
      return undefined;
    },
    cost: 40,
  };
}

/** When the event comes on one solar day, counted from 1 January 1970; Unix milliseconds. */
export function solarTime({ event, latitude, longitude }: Solar, day: number): number | undefined {
  const times = getTimes(new Date(day * DAY_MS + DAY_MS / 2), latitude, longitude);
  const time = times[NAMES[event]]?.getTime();
  return time === undefined ? undefined : Math.round(time / 1_000) * 1_000;
}
