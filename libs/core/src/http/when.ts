import Type, { type Static } from 'typebox';
import { MAX_CRON_LENGTH } from '../when/cron.ts';
import { MAX_DATES } from '../when/exclude.ts';
import { MAX_ICAL_LENGTH } from '../when/ical.ts';
import { MAX_RRULE_LENGTH } from '../when/rrule-text.ts';
import { FOLD_RULES, GAP_RULES, SOLAR_EVENTS, WEEKDAYS } from '../when/rule.ts';
import { MAX_EXCLUSIONS, MAX_RULES, MAX_RUNS_OF_SCHEDULE } from '../when/validate-when.ts';
import { CLOSED, DurationFor, TimeFor } from './format.ts';

const Cron = Type.String({
  minLength: 1,
  maxLength: MAX_CRON_LENGTH,
  description:
    'Five fields (minute hour day month weekday), or six with seconds first, of `*`, lists `1,3`, ranges `1-5`, steps `*/5` and names (`JAN`, `MON`); `L` is the last day, `15W` the weekday nearest to the 15th, `FRI#2` the second Friday, `FRIL` the last one, 0 and 7 are Sunday. Or one of `@yearly`, `@monthly`, `@weekly`, `@daily`, `@hourly`. It follows the wall clock of `timeZone`.',
  examples: ['0 3 * * *'],
});
const CronRule = Type.Object({ cron: Cron }, CLOSED);
const EveryRule = Type.Object(
  {
    every: DurationFor('The time between two runs, at least 1s.'),
    from: Type.Optional(
      TimeFor(
        'The first run, from which the others are counted; without it `startAt`, and without that the first one comes one `every` after the schedule was created.',
      ),
    ),
  },
  CLOSED,
);
const AtRule = Type.Object({ at: TimeFor('It runs once, at this time.') }, CLOSED);
const RruleRule = Type.Object(
  {
    rrule: Type.String({
      minLength: 1,
      maxLength: MAX_RRULE_LENGTH,
      description:
        'A recurrence rule of RFC 5545: `FREQ=…`, or lines `DTSTART;TZID=Europe/Paris:20260105T090000` and `RRULE:FREQ=…`. Without `DTSTART` it begins at `startAt`, or at midnight of the day on which the schedule was created.',
      examples: ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;BYHOUR=18'],
    }),
  },
  CLOSED,
);
const SolarRule = Type.Object(
  {
    solar: Type.Object(
      {
        event: Type.Enum(SOLAR_EVENTS, {
          description:
            'The sun rises, sets or stands highest; dawn and dusk are 6, 12 or 18 degrees below the horizon.',
        }),
        latitude: Type.Number({ minimum: -90, maximum: 90, description: 'Degrees, north is positive.' }),
        longitude: Type.Number({ minimum: -180, maximum: 180, description: 'Degrees, east is positive.' }),
      },
      CLOSED,
    ),
  },
  CLOSED,
);

const Hour = Type.Integer({ minimum: 0, maximum: 23 });
const Minute = Type.Optional(Type.Integer({ minimum: 0, maximum: 59, default: 0 }));
const Day = Type.Enum(WEEKDAYS);
const HourlyRule = Type.Object({ hourly: Type.Object({ minute: Minute }, CLOSED) }, CLOSED);
const DailyRule = Type.Object({ daily: Type.Object({ hour: Hour, minute: Minute }, CLOSED) }, CLOSED);
const WeeklyRule = Type.Object(
  {
    weekly: Type.Object(
      {
        weekday: Type.Union([Day, Type.Array(Day, { minItems: 1, maxItems: 7 })]),
        hour: Hour,
        minute: Minute,
      },
      CLOSED,
    ),
  },
  CLOSED,
);
const MonthlyRule = Type.Object(
  {
    monthly: Type.Object(
      {
        day: Type.Union([Type.Integer({ minimum: 1, maximum: 31 }), Type.Literal('last')], {
          description: 'A month without such a day is skipped; `last` is the last day of each.',
        }),
        hour: Hour,
        minute: Minute,
      },
      CLOSED,
    ),
  },
  CLOSED,
);

const RuleSchema = Type.Union(
  [CronRule, EveryRule, AtRule, RruleRule, SolarRule, HourlyRule, DailyRule, WeeklyRule, MonthlyRule],
  { title: 'Rule' },
);
/** One rule of a schedule as it is written. */
export type RuleInput = Static<typeof RuleSchema>;

/** `when` of a schedule. */
export const WhenSchema = Type.Union(
  [RuleSchema, Type.Array(RuleSchema, { minItems: 1, maxItems: MAX_RULES })],
  { title: 'When', description: 'One rule, or several whose times are united.' },
);
/** `when` of a schedule as it is written. */
export type WhenInput = Static<typeof WhenSchema>;

const ExclusionSchema = Type.Union([
  Type.Object(
    {
      dates: Type.Array(
        Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', maxLength: 10, examples: ['2026-12-25'] }),
        { minItems: 1, maxItems: MAX_DATES, description: 'Whole days on the clock of `timeZone`.' },
      ),
    },
    CLOSED,
  ),
  Type.Object(
    { cron: { ...Cron, description: 'Times that match; five fields match whole minutes.' } },
    CLOSED,
  ),
  Type.Object(
    {
      ical: Type.String({
        minLength: 1,
        maxLength: MAX_ICAL_LENGTH,
        description: 'The text of an iCalendar feed: what lies within one of its events.',
      }),
    },
    CLOSED,
  ),
]);
/** One exclusion as it is written. */
export type ExclusionInput = Static<typeof ExclusionSchema>;

const Gap = Type.Enum(GAP_RULES, {
  default: 'shift',
  description: 'A time that the clock jumps over: later by the length of the gap, or left out.',
});
const Fold = Type.Enum(FOLD_RULES, {
  default: 'auto',
  description:
    'A time that the clock shows twice: the first time, both times, or (`auto`) both times where the rule runs at least hourly.',
});
const ABOUT_DST = {
  ...CLOSED,
  description: 'What rules on the wall clock (cron, rrule, the friendly forms) do where clocks change.',
};
const DstSchema = Type.Object({ gap: Type.Optional(Gap), fold: Type.Optional(Fold) }, ABOUT_DST);
/** `dst` of a schedule as it is shown. */
export const DstShownSchema = Type.Object({ gap: Gap, fold: Fold }, ABOUT_DST);

const TimeZoneSchema = Type.String({
  minLength: 1,
  maxLength: 64,
  default: 'UTC',
  description: 'IANA name.',
  examples: ['Europe/Paris'],
});

/** What says when a schedule fires, beside `when`, as it is written. */
export const WHEN_OPTIONS = {
  exclude: Type.Optional(
    Type.Array(ExclusionSchema, {
      maxItems: MAX_EXCLUSIONS,
      description: 'Times at which it does not fire.',
    }),
  ),
  timeZone: Type.Optional(TimeZoneSchema),
  dst: Type.Optional(DstSchema),
  startAt: Type.Optional(TimeFor('It does not fire before this.')),
  endAt: Type.Optional(TimeFor('It does not fire after this.')),
};

/** `maxRuns` and `jitter` of a schedule. */
export const RUN_OPTIONS = {
  jitter: Type.Optional(
    DurationFor(
      'Each run is late by less than this: always by the same for one nominal time, and never up to the next one.',
    ),
  ),
  maxRuns: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_RUNS_OF_SCHEDULE,
      description:
        'It ends after so many times of its own rule have come due; those that were missed do not count.',
    }),
  ),
};
