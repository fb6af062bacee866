import Type, { type Static } from 'typebox';
import { MAX_META_TEXT, META_PATTERN } from '../jobs/call-options.ts';
import { JOB_STATES } from '../jobs/job-state.ts';
import { MAX_SEARCH } from '../search/search.ts';
import {
  CLOSED,
  OrNull,
  PAGE_QUERY,
  PageOf,
  QueueName,
  ScheduleName,
  TaskName,
  Time,
  TimeInput,
  TotalSchema,
} from './format.ts';
import { JobSchema, UnknownNames } from './job.ts';

/** How far a list has looked where jobs have to be looked at one by one. */
const SearchedSchema = Type.Object(
  {
    until: OrNull(
      Type.String({
        ...Time,
        description:
          'Jobs made at this time or later were looked at; null: there is no bound, or nothing to look at.',
      }),
    ),
    complete: Type.Boolean({
      description:
        'All was looked at that there is. If not, `nextCursor` goes on from there, also behind a page with no items.',
    }),
  },
  {
    ...CLOSED,
    description:
      'Where no index tells which jobs fit: how far back jobs were looked at. One page looks at 10,000 jobs at most, for about 25 ms.',
  },
);

/** Answer of `GET /jobs`. */
export const JobPageSchema = PageOf(JobSchema, {
  searched: Type.Optional(SearchedSchema),
  warnings: UnknownNames,
});
/** Answer of `GET /jobs`. */
export type JobPage = Static<typeof JobPageSchema>;

const JOB_FILTERS = {
  state: Type.Optional(
    Type.Array(Type.Enum(JOB_STATES), {
      maxItems: JOB_STATES.length,
      description: 'One or more states: repeat the parameter, `?state=queued&state=running`.',
    }),
  ),
  task: Type.Optional(TaskName),
  queue: Type.Optional(QueueName),
  schedule: Type.Optional(ScheduleName),
  from: Type.Optional(
    Type.String({
      ...TimeInput,
      description:
        'RFC 3339; a `+` in an address is written `%2B`. Created at this time or later; for a job of a schedule its nominal time counts.',
    }),
  ),
  to: Type.Optional(Type.String({ ...TimeInput, description: 'RFC 3339. Created before this time.' })),
  search: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: MAX_SEARCH,
      description:
        'Terms apart by spaces, all of which must hold: `state:dead`, `queue:mail`, `task:send*`, `schedule:nightly`, `id:…`, `reason:expired`, `worker:…` (who has begun it), `error:timeout` (in any case), `input.user.id:42`, `meta.tenant:acme`; a word is a part of the task or the begin of an id. Commas part alternatives, `*` is for any characters, double quotes take a text as it stands.',
      examples: ['state:dead queue:mail task:send* input.user.id:42 error:timeout'],
    }),
  ),
};

/** `?meta.<name>=<text>` */
const META_FILTERS = {
  [META_PATTERN.replace('^', '^meta\\.')]: Type.String({ maxLength: MAX_META_TEXT }),
};

/** Query of `GET /jobs`. `meta.<name>` for notes stands beside what is listed here. */
export const JobQuerySchema = Type.Object(
  { ...JOB_FILTERS, ...PAGE_QUERY },
  { ...CLOSED, patternProperties: META_FILTERS },
);
/** Query of `GET /jobs`. */
export type JobQuery = Static<typeof JobQuerySchema>;

/** Query of `GET /jobs/counts`. */
export const JobCountsQuerySchema = Type.Object(JOB_FILTERS, { ...CLOSED, patternProperties: META_FILTERS });
/** Query of `GET /jobs/counts`. */
export type JobCountsQuery = Static<typeof JobCountsQuerySchema>;

/** Answer of `GET /jobs/counts`. */
export const JobCountsSchema = Type.Object(
  {
    states: Type.Object(
      Object.fromEntries(JOB_STATES.map((state) => [state, TotalSchema])) as Record<
        (typeof JOB_STATES)[number],
        typeof TotalSchema
      >,
      {
        ...CLOSED,
        description:
          'By state, each counted up to 10,000 and as of a second ago at most. A capped number is a least one.',
      },
    ),
    total: TotalSchema,
  },
  { ...CLOSED, title: 'JobCounts' },
);
/** Answer of `GET /jobs/counts`. */
export type JobCounts = Static<typeof JobCountsSchema>;
