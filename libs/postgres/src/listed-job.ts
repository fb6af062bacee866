import { attemptSelect, type JobRow, type JobWithAttempts, jobSelect, type WideField } from './job-record.ts';

/** A field of a job that is cut in lists. */
export type CutField = WideField | 'attempts';

/** A job in a list: what is large is left out, texts are shortened, and of the attempts only the last are there. `next` is not. */
export type ListedJob = JobWithAttempts & {
  /** What of it is not whole. */
  readonly cut: readonly CutField[];
};

/** A row of `LISTED_SELECT`. */
export type ListedRow = JobRow & { readonly cut: readonly CutField[] };

/** The most attempts of one job in a list. */
export const MAX_LISTED_ATTEMPTS = 20;
/** A field that is larger than this as JSON is cut, bytes. */
const MOST = 4_096;
/** The same for the error of an attempt, of which there are several. */
const MOST_OF_ATTEMPT = 1_024;
/** What is left of a text, characters. */
const SHORT = 256;
const SHORT_NAME = 128;

const large = (name: string, most = MOST) => `octet_length(${name}::text) > ${most}`;
const leftOut = (name: string) => `case when ${large(name)} then null else ${name} end`;
const shortened = (name: string, text: string, most = MOST) =>
  `case when ${large(name, most)} then jsonb_strip_nulls(jsonb_build_object('name', left(${name}->>'name', ${SHORT_NAME}),
    'code', left(${name}->>'code', ${SHORT_NAME}), '${text}', left(${name}->>'${text}', ${SHORT}))) else ${name} end`;

/** How each field is shown instead. */
const CUT: Readonly<Record<WideField, string>> = {
  input: leftOut('j.input'),
  meta: leftOut('j.meta'),
  result: leftOut('j.result'),
  reason: shortened('j.reason', 'text'),
  error: shortened('j.error', 'message'),
};

/** What to select for a `ListedRow`, of the table alias `j`. */
export const LISTED_SELECT = `${jobSelect((field) => (field === 'next' ? 'null' : CUT[field]))}, array_remove(array[${Object.keys(
  CUT,
)
  .map((field) => `case when ${large(`j.${field}`)} then '${field}' end`)
  .join(', ')}], null) as cut`;

/** The last attempts of the jobs $1, in the order of their runs, and one more where there are more. */
export const LAST_ATTEMPTS = `select a.* from unnest($1::uuid[]) as of(id), lateral (
    select ${attemptSelect(shortened('a.error', 'message', MOST_OF_ATTEMPT))},
      coalesce(${large('a.error', MOST_OF_ATTEMPT)}, false) as cut
    from attempt a where a.job_id = of.id order by a.run desc, a.started_at desc, a.run_id desc limit ${MAX_LISTED_ATTEMPTS + 1}) a
  order by a.job, a.run, a."startedAt", a."runId"`;
