import Type, { type Static } from 'typebox';
import { MAX_CRON_LENGTH } from '../cron.ts';
import { OCCURRENCE_STATES, OVERLAP_RULES } from '../schedule.ts';
import { MAX_CATCH_UP, MAX_RULES } from '../validate-schedule.ts';
import {
  CLOSED,
  DurationFor,
  JobId,
  OrNull,
  PAGE_QUERY,
  PageOf,
  ScheduleName,
  Time,
  TimeFor,
} from './format.ts';
import { JOB_FIELDS, ReasonSchema, WarningSchema } from './job.ts';

const CronRule = Type.Object(
  {
    cron: Type.String({
      minLength: 1,
      maxLength: MAX_CRON_LENGTH,
      description:
        'Five fields (minute hour day month weekday), or six with seconds first, of `*`, lists `1,3`, ranges `1-5`, steps `*/5` and names (`JAN`, `MON`); `L` is the last day, `FRI#2` the second Friday, `FRIL` the last one, 0 and 7 are Sunday. Names such as `@daily` are not known. It follows the wall clock of `timeZone`.',
      examples: ['0 3 * * *'],
    }),
  },
  CLOSED,
);
const EveryRule = Type.Object(
  {
    every: DurationFor('The time between two runs, at least 1s.'),
    from: Type.Optional(
      TimeFor(
        'The first run, from which the others are counted; without it the first one comes one `every` after the schedule was created.',
      ),
    ),
  },
  CLOSED,
);
const AtRule = Type.Object({ at: TimeFor('It runs once, at this time.') }, CLOSED);
const Rule = Type.Union([CronRule, EveryRule, AtRule]);

/** One rule of a schedule as it is written. */
export type RuleInput = Static<typeof Rule>;

const CatchUpSchema = Type.Union(
  [
    Type.Enum(['latest', 'none'] as const),
    Type.Object(
      {
        all: Type.Integer({
          minimum: 1,
          maximum: MAX_CATCH_UP,
          description: 'How many at most, the newest ones.',
        }),
      },
      CLOSED,
    ),
  ],
  {
    description:
      'What to do with times that were missed: `latest` (the default) runs the last of them, `none` runs none, `{"all": n}` runs up to `n`. None is run that is older than `catchUpWindow`.',
  },
);

const OverlapSchema = Type.Enum(OVERLAP_RULES, {
  description:
    'What to do when a job of the schedule is still open: `skip` (the default) leaves the new one out, `allow` runs both.',
});

const CatchUpWindowSchema = DurationFor(
  'How late a missed time may still be run. By default the smaller of the period and 1h; 1h for `{"all": n}`.',
);

const ScheduledJobSchema = Type.Object(JOB_FIELDS, CLOSED);

const WhenSchema = Type.Union([Rule, Type.Array(Rule, { minItems: 1, maxItems: MAX_RULES })], {
  description: 'One rule, or several whose times are united.',
});

/** Body of `POST /schedules`. */
export const ScheduleRequestSchema = Type.Object(
  {
    name: ScheduleName,
    when: WhenSchema,
    timeZone: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        default: 'UTC',
        description: 'IANA name.',
        examples: ['Europe/Paris'],
      }),
    ),
    job: ScheduledJobSchema,
    overlap: Type.Optional(OverlapSchema),
    catchUp: Type.Optional(CatchUpSchema),
    catchUpWindow: Type.Optional(CatchUpWindowSchema),
  },
  {
    ...CLOSED,
    title: 'ScheduleRequest',
    examples: [
      {
        name: 'hello.every-minute',
        when: { cron: '* * * * *' },
        timeZone: 'Europe/Paris',
        job: { task: 'system.echo', input: { hello: 'world' } },
      },
    ],
  },
);
/** Body of `POST /schedules`. */
export type ScheduleRequest = Static<typeof ScheduleRequestSchema>;

/** What became of one nominal time of a schedule. */
const OccurrenceSchema = Type.Object(
  {
    nominalTime: Time,
    origin: Type.String(),
    state: Type.Enum(OCCURRENCE_STATES),
    reason: Type.Optional(ReasonSchema),
    jobId: Type.Optional(JobId),
    latenessMs: Type.Optional(Type.Number()),
    count: Type.Optional(
      Type.Integer({ description: 'How many equal non-runs this row stands for, where more than one.' }),
    ),
    to: Type.Optional(Time),
  },
  { ...CLOSED, title: 'Occurrence' },
);
/** What became of one nominal time of a schedule. */
export type Occurrence = Static<typeof OccurrenceSchema>;

/** A schedule. */
export const ScheduleSchema = Type.Object(
  {
    name: Type.String(),
    when: WhenSchema,
    timeZone: Type.String(),
    job: ScheduledJobSchema,
    overlap: OverlapSchema,
    catchUp: CatchUpSchema,
    catchUpWindow: CatchUpWindowSchema,
    paused: OrNull(
      Type.Object(
        { by: Type.String(), note: OrNull(Type.String()), since: Time, until: OrNull(Time) },
        CLOSED,
      ),
    ),
    nextTimes: Type.Array(Time, {
      description: 'The next nominal times, at most five; none while it is paused.',
    }),
    lastOccurrence: OrNull(OccurrenceSchema),
    warnings: Type.Optional(
      Type.Array(WarningSchema, { description: 'Only in the answer that creates it.' }),
    ),
  },
  { ...CLOSED, title: 'Schedule' },
);
/** A schedule. */
export type Schedule = Static<typeof ScheduleSchema>;

/** Answer of `GET /schedules`. */
export const SchedulePageSchema = PageOf(ScheduleSchema);

/** Answer of `GET /schedules/{name}/occurrences`. */
export const OccurrencePageSchema = PageOf(OccurrenceSchema);

/** Query of lists that have no filter. */
export const PageQuerySchema = Type.Object(PAGE_QUERY, CLOSED);
/** Query of lists that have no filter. */
export type PageQuery = Static<typeof PageQuerySchema>;

/** Body of `POST /schedules/{name}/pause`. */
export const PauseRequestSchema = Type.Object(
  { note: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024, description: 'Why it is paused.' })) },
  { ...CLOSED, title: 'PauseRequest', examples: [{ note: 'maintenance of the mail server' }] },
);
/** Body of `POST /schedules/{name}/pause`. */
export type PauseRequest = Static<typeof PauseRequestSchema>;
