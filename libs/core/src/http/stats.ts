import Type, { type Static } from 'typebox';
import { CLOSED, OrNull, Time } from './format.ts';
import { JobCountsSchema } from './job-query.ts';

const { states } = JobCountsSchema.properties;

/** Answer of `GET /stats`: how things stand, in one look. */
export const StatsSchema = Type.Object(
  {
    at: Time,
    jobs: Type.Object(states.properties, {
      ...CLOSED,
      description: 'By state, each counted up to 10,000.',
    }),
    queues: Type.Object(
      {
        count: Type.Integer(),
        paused: Type.Integer(),
        waiting: OrNull(
          Type.Integer({ description: 'Jobs that wait on all of them; null: NATS does not answer.' }),
        ),
        waitingAtLeast: Type.Optional(
          Type.Literal(true, {
            description:
              'Jobs wait under so many names of queues and tasks that those of queues without a worker are not among `waiting`.',
          }),
        ),
        held: OrNull(Type.Integer({ description: 'Jobs that workers have taken.' })),
        oldestMs: OrNull(
          Type.Number({ description: 'How long the oldest one waits; null also when none does.' }),
        ),
        perMinute: Type.Object(
          { succeeded: Type.Integer(), failed: Type.Integer(), ended: Type.Integer() },
          {
            ...CLOSED,
            description: 'Attempts of the last minute by what came of them; jobs that ended without one.',
          },
        ),
      },
      CLOSED,
    ),
    workers: Type.Object(
      {
        running: Type.Integer(),
        slots: Type.Integer({ description: 'How many jobs they can run at once.' }),
      },
      CLOSED,
    ),
    schedules: Type.Object(
      {
        active: Type.Integer(),
        paused: Type.Integer(),
        finished: Type.Integer(),
        problem: Type.Integer(),
      },
      CLOSED,
    ),
  },
  { ...CLOSED, title: 'Stats' },
);
/** Answer of `GET /stats`. */
export type Stats = Static<typeof StatsSchema>;
