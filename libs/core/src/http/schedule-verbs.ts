import Type, { type Static } from 'typebox';
import { OVERLAP_RULES } from '../schedules/schedule.ts';
import { CLOSED, DurationFor, JobId, OrNull, Time, TimeFor } from './format.ts';
import { WarningSchema } from './job.ts';
import { OccurrenceSchema } from './occurrence.ts';

/** The most runs of one backfill. */
export const MAX_BACKFILL = 10_000;
/** The most times that a backfill shows which is only tried. */
export const MAX_BACKFILL_SHOWN = 100;

/** Body of `POST /schedules/{name}/pause`. */
export const PauseRequestSchema = Type.Object(
  {
    note: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024, description: 'Why it is paused.' })),
    until: Type.Optional(TimeFor('When it goes on by itself.')),
  },
  { ...CLOSED, title: 'PauseRequest', examples: [{ note: 'maintenance of the mail server' }] },
);
/** Body of `POST /schedules/{name}/pause`. */
export type PauseRequest = Static<typeof PauseRequestSchema>;

/** Body of `POST /schedules/{name}/trigger`. */
export const TriggerRequestSchema = Type.Object(
  {
    input: Type.Optional(
      Type.Unknown({
        description: 'Any JSON value: the input of this run, instead of that of the schedule.',
      }),
    ),
    overlap: Type.Optional(
      Type.Enum(OVERLAP_RULES, {
        default: 'allow',
        description: 'What to do when a job of the schedule is still open; `allow` where nothing is said.',
      }),
    ),
  },
  { ...CLOSED, title: 'TriggerRequest', examples: [{ input: { hello: 'now' } }] },
);
/** Body of `POST /schedules/{name}/trigger`. */
export type TriggerRequest = Static<typeof TriggerRequestSchema>;

/** Answer of `POST /schedules/{name}/trigger`. */
export const TriggeredSchema = Type.Object(
  {
    jobId: Type.String({
      ...JobId,
      description:
        'The id of its job, which a scheduler makes in a moment; none is made where `overlap` forbids.',
    }),
    occurrence: OccurrenceSchema,
    warnings: Type.Array(WarningSchema),
  },
  { ...CLOSED, title: 'Triggered' },
);
/** Answer of `POST /schedules/{name}/trigger`. */
export type Triggered = Static<typeof TriggeredSchema>;

/** Body of `POST /schedules/{name}/backfill`. */
export const BackfillRequestSchema = Type.Object(
  {
    from: TimeFor('The first nominal time that may be run.'),
    to: TimeFor('The last one, itself included; not after now.'),
    overlap: Type.Optional(
      Type.Enum(OVERLAP_RULES, {
        default: 'buffer-all',
        description:
          'What to do when a job of the schedule is still open; `buffer-all` where nothing is said: one after the other.',
      }),
    ),
    spread: Type.Optional(DurationFor('The time between the begins of two of its runs; at once without it.')),
    dryRun: Type.Optional(
      Type.Boolean({ default: false, description: 'Only say what would be run; nothing is.' }),
    ),
  },
  {
    ...CLOSED,
    title: 'BackfillRequest',
    examples: [{ from: '2026-05-04T00:00:00Z', to: '2026-05-04T06:00:00Z', dryRun: true }],
  },
);
/** Body of `POST /schedules/{name}/backfill`. */
export type BackfillRequest = Static<typeof BackfillRequestSchema>;

/** Answer of `POST /schedules/{name}/backfill`. */
export const BackfillSchema = Type.Object(
  {
    origin: OrNull(
      Type.String({
        description: 'The origin of its occurrences, by which they are listed; null where it was only tried.',
      }),
    ),
    count: Type.Integer({ description: 'How many runs.' }),
    first: OrNull(Time),
    last: OrNull(Time),
    times: Type.Array(Time, {
      description: `The nominal times, the first ${MAX_BACKFILL_SHOWN} of them.`,
    }),
    until: OrNull(
      Type.String({ ...Time, description: 'RFC 3339, UTC. When the last of them is begun at the earliest.' }),
    ),
  },
  { ...CLOSED, title: 'Backfill' },
);
/** Answer of `POST /schedules/{name}/backfill`. */
export type Backfill = Static<typeof BackfillSchema>;
