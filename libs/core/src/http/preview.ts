import Type, { type Static } from 'typebox';
import { CLOSED, Time, TimeFor } from './format.ts';
import { WarningSchema } from './job.ts';
import { WHEN_OPTIONS, WhenSchema } from './when.ts';

/** How many next times are shown where nothing is said. */
export const PREVIEW_COUNT = 10;
/** The most next times that are shown at once. */
const MAX_PREVIEW = 100;

/** Query of `GET /schedules/{name}/next`. */
export const NextQuerySchema = Type.Object(
  {
    count: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_PREVIEW,
        default: PREVIEW_COUNT,
        description: 'How many times.',
      }),
    ),
  },
  CLOSED,
);
/** Query of `GET /schedules/{name}/next`. */
export type NextQuery = Static<typeof NextQuerySchema>;

/** Body of `POST /schedules/preview`. */
export const PreviewRequestSchema = Type.Object(
  {
    when: WhenSchema,
    ...WHEN_OPTIONS,
    ...NextQuerySchema.properties,
    from: Type.Optional(TimeFor('The times after this; without it from now on.')),
  },
  {
    ...CLOSED,
    title: 'PreviewRequest',
    examples: [
      { when: { cron: '30 2 * * *' }, timeZone: 'Europe/Paris', from: '2026-03-27T00:00:00Z', count: 3 },
    ],
  },
);
/** Body of `POST /schedules/preview`. */
export type PreviewRequest = Static<typeof PreviewRequestSchema>;

/** Answer of `POST /schedules/preview` and `GET /schedules/{name}/next`. */
export const PreviewSchema = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          nominalTime: Time,
          local: Type.String({ description: 'What the clock of the time zone shows then.' }),
          offset: Type.String({ description: 'Its offset from UTC then.', examples: ['+02:00'] }),
          warnings: Type.Array(WarningSchema),
        },
        CLOSED,
      ),
    ),
    warnings: Type.Array(WarningSchema, { description: 'About the rule, whatever the time.' }),
  },
  { ...CLOSED, title: 'Preview' },
);
/** Answer of `POST /schedules/preview` and `GET /schedules/{name}/next`. */
export type PreviewAnswer = Static<typeof PreviewSchema>;
