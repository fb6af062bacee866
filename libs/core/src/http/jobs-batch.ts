import Type, { type Static } from 'typebox';
import { JOB_STATES } from '../jobs/job-state.ts';
import { CLOSED, JobId } from './format.ts';
import { JobRequestSchema, WarningSchema } from './job.ts';
import { ProblemSchema } from './problem.ts';

/** Body of `POST /jobs/batch`. */
export const JobsRequestSchema = Type.Object(
  { jobs: Type.Array(JobRequestSchema, { minItems: 1, maxItems: 1_000 }) },
  {
    ...CLOSED,
    title: 'JobsRequest',
    description:
      'Each as for `POST /jobs`. A body in which one of them is no request for a job at all is refused as a whole.',
    examples: [
      {
        jobs: [
          { task: 'system.echo', input: { number: 1 } },
          { task: 'system.echo', input: { number: 2 } },
        ],
      },
    ],
  },
);
/** Body of `POST /jobs/batch`. */
export type JobsRequest = Static<typeof JobsRequestSchema>;

/** Answer of `POST /jobs/batch`. */
export const JobsAcceptedSchema = Type.Object(
  {
    items: Type.Array(
      Type.Union([
        Type.Object(
          {
            id: JobId,
            state: Type.Enum(JOB_STATES),
            created: Type.Boolean({ description: 'False: another job has the unique key, and this is it.' }),
            replaced: Type.Optional(
              Type.String({ ...JobId, description: 'The job whose place it has taken.' }),
            ),
          },
          CLOSED,
        ),
        Type.Object(
          {
            error: Type.Object(
              {
                code: ProblemSchema.properties.code,
                status: ProblemSchema.properties.status,
                detail: ProblemSchema.properties.detail,
                errors: ProblemSchema.properties.errors,
              },
              { ...CLOSED, description: 'Why this one was not accepted, as `POST /jobs` would have said.' },
            ),
          },
          CLOSED,
        ),
      ]),
      { description: 'In the order of the request.' },
    ),
    accepted: Type.Integer(),
    refused: Type.Integer({ description: 'How many of the items have an `error`.' }),
    warnings: Type.Array(WarningSchema, { description: 'Each once, at most 20.' }),
  },
  { ...CLOSED, title: 'JobsAccepted' },
);
/** Answer of `POST /jobs/batch`. */
export type JobsAccepted = Static<typeof JobsAcceptedSchema>;
