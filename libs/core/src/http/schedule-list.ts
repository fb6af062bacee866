import Type, { type Static } from 'typebox';
import { CLOSED, PAGE_QUERY, TaskName, Time, TimeInput } from './format.ts';

/** How a schedule stands: it fires; somebody has paused it; it has no time left; its definition cannot be read. */
export const SCHEDULE_STATES = ['active', 'paused', 'finished', 'problem'] as const;
/** How a schedule stands. */
export type ScheduleState = (typeof SCHEDULE_STATES)[number];

/** The most times that one forecast holds. */
export const MAX_FORECAST = 1_000;

/** Query of `GET /schedules`. */
export const ScheduleQuerySchema = Type.Object(
  {
    task: Type.Optional(TaskName),
    state: Type.Optional(
      Type.Array(Type.Enum(SCHEDULE_STATES), {
        maxItems: SCHEDULE_STATES.length,
        description: 'One or more states: repeat the parameter.',
      }),
    ),
    search: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, description: 'A part of the name; case does not matter.' }),
    ),
    label: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}(:[^\\u0000]{0,256})?$' }), {
        maxItems: 8,
        description: '`name:value`, or `name` alone for any value; repeated, all must fit.',
      }),
    ),
    ...PAGE_QUERY,
  },
  CLOSED,
);
/** Query of `GET /schedules`. */
export type ScheduleQuery = Static<typeof ScheduleQuerySchema>;

/** Query of `GET /forecast`. */
export const ForecastQuerySchema = Type.Object(
  {
    from: Type.Optional(
      Type.String({
        ...TimeInput,
        description: 'RFC 3339. After this time; now where nothing is said, and never before.',
      }),
    ),
    to: Type.Optional(
      Type.String({
        ...TimeInput,
        description: 'RFC 3339. Up to this time; a day after `from` where nothing is said.',
      }),
    ),
    task: Type.Optional(TaskName),
  },
  CLOSED,
);
/** Query of `GET /forecast`. */
export type ForecastQuery = Static<typeof ForecastQuerySchema>;

/** Answer of `GET /forecast`. */
export const ForecastSchema = Type.Object(
  {
    items: Type.Array(
      Type.Object({ nominalTime: Time, schedule: Type.String(), task: Type.String() }, CLOSED),
      { description: 'What will be due, oldest first.' },
    ),
    truncated: Type.Boolean({
      description: `There is more than ${MAX_FORECAST} times, or more than could be looked at; up to \`until\` nothing is left out.`,
    }),
    until: Type.String({ ...Time, description: 'RFC 3339, UTC. Up to here it is whole.' }),
  },
  { ...CLOSED, title: 'Forecast' },
);
/** Answer of `GET /forecast`. */
export type Forecast = Static<typeof ForecastSchema>;
