import Type, { type Static } from 'typebox';
import { OVERLAP_RULES } from '../schedule.ts';
import { MAX_CATCH_UP, MAX_RULES } from '../validate-schedule.ts';
import {
  CLOSED,
  Duration,
  JobId,
  OrNull,
  PAGE_QUERY,
  PageOf,
  ScheduleName,
  Time,
  TimeInput,
} from './format.ts';
import { JOB_FIELDS, ReasonSchema, WarningSchema } from './job.ts';

const CronRule = Type.Object(
  {
    cron: Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'Five fields, or six with seconds first.',
      examples: ['0 3 * * *'],
    }),
  },
  CLOSED,
);
const EveryRule = Type.Object({ every: Duration, from: Type.Optional(TimeInput) }, CLOSED);
const AtRule = Type.Object({ at: TimeInput }, CLOSED);
const Rule = Type.Union([CronRule, EveryRule, AtRule]);

/** One rule of a schedule as it is written. */
export type RuleInput = Static<typeof Rule>;

const CatchUpSchema = Type.Union([
  Type.Enum(['latest', 'none'] as const),
  Type.Object({ all: Type.Integer({ minimum: 1, maximum: MAX_CATCH_UP }) }, CLOSED),
]);

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
    overlap: Type.Optional(
      Type.Enum(OVERLAP_RULES, {
        default: 'skip',
        description: 'What to do when a job of the schedule is still open.',
      }),
    ),
    catchUp: Type.Optional(CatchUpSchema),
    catchUpWindow: Type.Optional(Duration),
  },
  { ...CLOSED, title: 'ScheduleRequest' },
);
/** Body of `POST /schedules`. */
export type ScheduleRequest = Static<typeof ScheduleRequestSchema>;

/** What became of one nominal time of a schedule. */
export const OccurrenceSchema = Type.Object(
  {
    nominalTime: Time,
    origin: Type.String(),
    state: Type.Enum(['due', 'dispatched', 'buffered', 'skipped', 'missed'] as const),
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
    overlap: Type.Enum(OVERLAP_RULES),
    catchUp: CatchUpSchema,
    catchUpWindow: Type.Optional(Duration),
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
  { note: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 })) },
  { ...CLOSED, title: 'PauseRequest' },
);
/** Body of `POST /schedules/{name}/pause`. */
export type PauseRequest = Static<typeof PauseRequestSchema>;
