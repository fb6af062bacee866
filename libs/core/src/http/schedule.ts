import Type, { type Static } from 'typebox';
import { OVERLAP_RULES } from '../schedules/schedule.ts';
import { MAX_CATCH_UP, MAX_FAILURES_IN_A_ROW } from '../schedules/validate-schedule.ts';
import {
  CLOSED,
  DurationFor,
  Hidden,
  Meta,
  OrNull,
  PAGE_QUERY,
  PageOf,
  ScheduleName,
  Time,
} from './format.ts';
import { JOB_FIELDS, WarningSchema } from './job.ts';
import { OccurrenceSchema } from './occurrence.ts';
import { SCHEDULE_STATES } from './schedule-list.ts';
import { DstShownSchema, RUN_OPTIONS, WHEN_OPTIONS, WhenSchema } from './when.ts';

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
        spread: Type.Optional(DurationFor('The time between the begins of two of them; at once without it.')),
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
    'What to do when a job of the schedule is still open: `skip` (the default) leaves the new one out; `buffer-one` keeps one until it has ended, `buffer-all` keeps all; `cancel-previous` cancels the open one first; `allow` runs both.',
});

const CatchUpWindowSchema = DurationFor(
  'How late a missed time may still be run. By default the smaller of the period and 1h; 1h for `{"all": n}`.',
);

const ScheduledJobSchema = Type.Object(JOB_FIELDS, { ...CLOSED, title: 'ScheduledJob' });

/** What a schedule says besides its name; what must be there is the same in requests and answers. */
const FIELDS = {
  when: WhenSchema,
  ...WHEN_OPTIONS,
  ...RUN_OPTIONS,
  job: ScheduledJobSchema,
  overlap: Type.Optional(OverlapSchema),
  catchUp: Type.Optional(CatchUpSchema),
  catchUpWindow: Type.Optional(CatchUpWindowSchema),
  pauseAfterFailures: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_FAILURES_IN_A_ROW,
      description: 'It is paused when so many of its jobs have died in a row.',
    }),
  ),
  labels: Type.Optional(Meta),
};

const EXAMPLE = {
  when: { cron: '* * * * *' },
  timeZone: 'Europe/Paris',
  job: { task: 'system.echo', input: { hello: 'world' } },
};

/** Body of `POST /schedules`. */
export const ScheduleRequestSchema = Type.Object(
  { name: ScheduleName, ...FIELDS },
  { ...CLOSED, title: 'ScheduleRequest', examples: [{ name: 'hello.every-minute', ...EXAMPLE }] },
);
/** Body of `POST /schedules`. */
export type ScheduleRequest = Static<typeof ScheduleRequestSchema>;

/** Body of `PUT /schedules/{name}`. */
export const SchedulePutSchema = Type.Object(
  { name: Type.Optional(ScheduleName), ...FIELDS },
  { ...CLOSED, title: 'ScheduleRequest', examples: [EXAMPLE] },
);

/** The most schedules that are made at once. */
export const MAX_BATCH = 1_000;

/** Body of `POST /schedules/batch`. */
export const ScheduleBatchSchema = Type.Object(
  { schedules: Type.Array(ScheduleRequestSchema, { minItems: 1, maxItems: MAX_BATCH }) },
  {
    ...CLOSED,
    title: 'ScheduleBatch',
    examples: [
      {
        schedules: [
          { name: 'hello.a', ...EXAMPLE },
          { name: 'hello.b', ...EXAMPLE },
        ],
      },
    ],
  },
);
/** Body of `POST /schedules/batch`. */
export type ScheduleBatch = Static<typeof ScheduleBatchSchema>;

/** Answer of `POST /schedules/batch`. */
export const ScheduleBatchAnswerSchema = Type.Object(
  { created: Type.Integer(), warnings: Type.Array(WarningSchema) },
  { ...CLOSED, title: 'ScheduleBatchAnswer' },
);

/** A schedule. */
export const ScheduleSchema = Type.Object(
  {
    name: Type.String(),
    ...FIELDS,
    when: OrNull(WhenSchema),
    timeZone: Type.String(),
    dst: DstShownSchema,
    overlap: OverlapSchema,
    catchUp: CatchUpSchema,
    catchUpWindow: CatchUpWindowSchema,
    version: Type.Integer({ description: 'Of its definition, from 1; the `ETag` is this number in quotes.' }),
    state: Type.Enum(SCHEDULE_STATES, {
      description: '`finished`: it has no time left. `problem`: its definition cannot be read.',
    }),
    problem: OrNull(
      Type.String({
        description: 'Why its definition cannot be read, so that it does not fire; `when` is null then.',
      }),
    ),
    finished: OrNull(Type.String({ ...Time, description: 'RFC 3339, UTC. Since when it has no time left.' })),
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
    createdAt: Time,
    updatedAt: Time,
    hidden: Hidden,
    cut: Type.Optional(
      Type.Array(Type.Enum(['input', 'meta'] as const), {
        description:
          'Only in lists, where it says what of `job` is larger than 4 KiB and left out: `input` is null, `meta` is empty. `GET /schedules/{name}` has all of it.',
      }),
    ),
    warnings: Type.Optional(
      Type.Array(WarningSchema, { description: 'Only in the answer to a request that makes or changes it.' }),
    ),
  },
  { ...CLOSED, title: 'Schedule' },
);
/** A schedule. */
export type Schedule = Static<typeof ScheduleSchema>;

/** Answer of `GET /schedules`. */
export const SchedulePageSchema = PageOf(ScheduleSchema);

/** Query of lists that have no filter. */
export const PageQuerySchema = Type.Object(PAGE_QUERY, CLOSED);
/** Query of lists that have no filter. */
export type PageQuery = Static<typeof PageQuerySchema>;
