import Type, { type Static } from 'typebox';
import { AnyJson, CLOSED, DurationFor, PriorityName, TimeFor } from './format.ts';

/** Body of `PATCH /jobs/{id}`. */
export const JobPatchSchema = Type.Object(
  {
    runAt: Type.Optional(TimeFor('When it runs instead; at once where that is over.')),
    priority: Type.Optional(PriorityName),
  },
  {
    ...CLOSED,
    minProperties: 1,
    title: 'JobPatch',
    description: 'What is to change of a job that has not begun; what is left out stays.',
    examples: [{ priority: 'high' }],
  },
);
/** Body of `PATCH /jobs/{id}`. */
export type JobPatch = Static<typeof JobPatchSchema>;

/** Body of `POST /jobs/{id}/retry`. */
export const RetryRequestSchema = Type.Object(
  { input: Type.Optional(AnyJson) },
  {
    ...CLOSED,
    title: 'RetryRequest',
    description: 'Without an input the new job has that of the old one.',
    examples: [{ input: { hello: 'again' } }],
  },
);
/** Body of `POST /jobs/{id}/retry`. */
export type RetryRequest = Static<typeof RetryRequestSchema>;

/** Query of `POST /jobs`. */
export const WaitQuerySchema = Type.Object(
  {
    wait: Type.Optional(
      DurationFor(
        'How long to wait for the end of the job, at most 30 s: 200 with the finished job, or 202.',
      ),
    ),
  },
  CLOSED,
);
/** Query of `POST /jobs`. */
export type WaitQuery = Static<typeof WaitQuerySchema>;

/** Query of `GET /jobs/{id}`. */
export const EndQuerySchema = Type.Object(
  {
    wait: Type.Optional(
      DurationFor('How long to wait for its end, at most 30 s; then it is shown as it is.'),
    ),
  },
  CLOSED,
);
/** Query of `GET /jobs/{id}`. */
export type EndQuery = Static<typeof EndQuerySchema>;

/** Body of `POST /jobs/{id}/cancel`. */
export const CancelRequestSchema = Type.Object(
  {
    reason: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1_024, description: 'Why it is cancelled; the job keeps it.' }),
    ),
  },
  { ...CLOSED, title: 'CancelRequest', examples: [{ reason: 'no longer needed' }] },
);
/** Body of `POST /jobs/{id}/cancel`. */
export type CancelRequest = Static<typeof CancelRequestSchema>;
