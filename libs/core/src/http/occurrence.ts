import Type, { type Static } from 'typebox';
import { OCCURRENCE_STATES } from '../schedules/schedule.ts';
import { CLOSED, JobId, PAGE_QUERY, PageOf, Time, TimeInput } from './format.ts';
import { ReasonSchema } from './job.ts';

/** What became of one nominal time of a schedule. */
export const OccurrenceSchema = Type.Object(
  {
    nominalTime: Time,
    origin: Type.String({
      description:
        '`plan` for a time of its own rule, `trigger:<id>` or `backfill:<id>` for what was asked for by hand.',
    }),
    state: Type.Enum(OCCURRENCE_STATES),
    reason: Type.Optional(ReasonSchema),
    jobId: Type.Optional(JobId),
    latenessMs: Type.Optional(Type.Number()),
    count: Type.Optional(
      Type.Integer({ description: 'How many equal non-runs this row stands for, where more than one.' }),
    ),
    to: Type.Optional(Type.String({ ...Time, description: 'RFC 3339, UTC. The last of them.' })),
  },
  { ...CLOSED, title: 'Occurrence' },
);
/** What became of one nominal time of a schedule. */
export type Occurrence = Static<typeof OccurrenceSchema>;

/** Answer of `GET /schedules/{name}/occurrences`. */
export const OccurrencePageSchema = Type.Object(
  {
    ...PageOf(OccurrenceSchema).properties,
    explanation: Type.Optional(
      Type.String({
        description: 'Only where `from` or `to` is given and nothing is found: why there is nothing.',
      }),
    ),
  },
  CLOSED,
);
/** Answer of `GET /schedules/{name}/occurrences`. */
export type OccurrencePage = Static<typeof OccurrencePageSchema>;

/** Query of `GET /schedules/{name}/occurrences`. */
export const OccurrenceQuerySchema = Type.Object(
  {
    from: Type.Optional(
      Type.String({
        ...TimeInput,
        description:
          'RFC 3339; a `+` in an address is written `%2B`. Nominal times from this one on; a row that stands for many is there when one of them is.',
      }),
    ),
    to: Type.Optional(
      Type.String({ ...TimeInput, description: 'RFC 3339. Nominal times up to this one, itself included.' }),
    ),
    state: Type.Optional(
      Type.Array(Type.Enum(OCCURRENCE_STATES), {
        maxItems: OCCURRENCE_STATES.length,
        description: 'One or more states: repeat the parameter.',
      }),
    ),
    origin: Type.Optional(
      Type.String({
        pattern: '^(plan|(trigger|backfill)(:[0-9a-f-]{36})?)$',
        description:
          '`plan`, `trigger` or `backfill`; or one of the latter two with its id, `backfill:<id>`.',
        examples: ['plan'],
      }),
    ),
    ...PAGE_QUERY,
  },
  CLOSED,
);
/** Query of `GET /schedules/{name}/occurrences`. */
export type OccurrenceQuery = Static<typeof OccurrenceQuerySchema>;
