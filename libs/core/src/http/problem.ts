import Type, { type Static } from 'typebox';
import { AnyJson, CLOSED } from './format.ts';

/** One place in a request that is wrong. */
const ProblemIssue = Type.Object(
  {
    pointer: Type.String({
      description:
        'JSON pointer (RFC 6901) into the body, `?name` for a query parameter, the name of a header.',
    }),
    code: Type.String(),
    message: Type.String(),
    suggestion: Type.Optional(Type.String({ description: 'What was probably meant.' })),
  },
  CLOSED,
);

/** Problem details (RFC 9457), the body of every error. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'Names the kind of problem; the same for the same `code`.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What happened, and what to do.' }),
    instance: Type.String({ description: 'The path that was asked.' }),
    code: Type.String({ description: 'Stable; tell problems apart by it.' }),
    errors: Type.Array(ProblemIssue),
    traceId: Type.String(),
    current: Type.Optional(
      Type.Object(
        { version: Type.Integer(), schedule: AnyJson },
        { ...CLOSED, description: 'Only of `stale`: the schedule as it is now.' },
      ),
    ),
    yours: Type.Optional(
      Type.Object(
        { ifMatch: Type.String(), schedule: AnyJson },
        {
          ...CLOSED,
          description: 'Only of `stale`: the version that was asked for, and what would have been stored.',
        },
      ),
    ),
  },
  { ...CLOSED, title: 'Problem' },
);

/** Problem details (RFC 9457), the body of every error. */
export type Problem = Static<typeof ProblemSchema>;
