import { type CivilDay, civilDay, dayNumber, isLeapYear, modulo } from './civil.ts';
import type { RruleParts, WeekdayOf } from './rrule-parts.ts';

/** Which days a rule runs on, whatever its interval. Days are counted from 1 January 1970. */
export interface RruleDays {
  readonly matches: (day: number) => boolean;
  /** The first matching day from `from` to `upTo`. */
  readonly first: (from: number, upTo: number) => number | undefined;
}

/** Reads the parts of a rule that concern days; each of them must be fulfilled (the table in RFC 5545 §3.3.10 comes to that). */
export function createRruleDays(parts: RruleParts): RruleDays {
  const { byMonth, byMonthDay, byYearDay, byWeekNo, byDay, weekStart } = parts;
  // The nth Monday is one of the month, or of the year where the rule says no month.
  const ofMonth = parts.freq !== 'YEARLY' || byMonth.length > 0;

  function matchesDate(date: CivilDay, number: number): boolean {
    return (
      isOneOf(byMonthDay, date.day, date.monthLength) &&
      (byDay.length === 0 || byDay.some((weekday) => isWeekday(weekday, date, number))) &&
      (byYearDay.length === 0 || isOneOf(byYearDay, yearDay(date, number), yearLength(date))) &&
      (byWeekNo.length === 0 || isInWeek(number))
    );
  }

  function isWeekday({ weekday, nth }: WeekdayOf, date: CivilDay, number: number): boolean {
    if (weekday !== date.weekday) return false;
    if (nth === 0) return true;
    const day = ofMonth ? date.day : yearDay(date, number);
    const length = ofMonth ? date.monthLength : yearLength(date);
    return nth > 0 ? Math.ceil(day / 7) === nth : Math.ceil((length - day + 1) / 7) === -nth;
  }

  function isInWeek(number: number): boolean {
    const begin = number - modulo(civilDay(number).weekday - weekStart, 7);
    // A week belongs to the year in which it has four days at least.
    const { year } = civilDay(begin + 3);
    const week = (begin - firstWeek(year, weekStart)) / 7 + 1;
    return isOneOf(byWeekNo, week, (firstWeek(year + 1, weekStart) - firstWeek(year, weekStart)) / 7);
  }

  return {
    matches: (number) => {
      const date = civilDay(number);
      return (byMonth.length === 0 || byMonth.includes(date.month)) && matchesDate(date, number);
    },
    first: (from, upTo) => {
      for (let number = from; number <= upTo; ) {
        const date = civilDay(number);
        if (byMonth.length > 0 && !byMonth.includes(date.month))
          number = dayNumber(date.year, date.month + 1, 1);
        else if (matchesDate(date, number)) return number;
        else number += 1;
      }
      return undefined;
    },
  };
}

/** The day on which the first week of a year begins. */
function firstWeek(year: number, weekStart: number): number {
  const fourth = dayNumber(year, 1, 4);
  return fourth - modulo(civilDay(fourth).weekday - weekStart, 7);
}

function yearDay({ year }: CivilDay, number: number): number {
  return number - dayNumber(year, 1, 1) + 1;
}

function yearLength({ year }: CivilDay): number {
  return isLeapYear(year) ? 366 : 365;
}

/** Whether the list names this place of `length`, from the beginning or (negative) from the end; an empty list names all. */
function isOneOf(list: readonly number[], place: number, length: number): boolean {
  return list.length === 0 || list.includes(place) || list.includes(place - length - 1);
}
