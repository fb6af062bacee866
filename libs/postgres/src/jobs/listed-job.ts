import { wholeMs } from '../database/sql.ts';
import {
  type AttemptRow,
  attemptRecord,
  attemptSelect,
  type ShownJob,
  type ShownRow,
  shownRecord,
  shownSelect,
  type WideField,
} from './job-record.ts';

/** A field of a job that is cut in lists. */
export type CutField = WideField | 'attempts';

/** A job in a list: what is large is left out, texts are shortened, and of the attempts only the last are there. */
export type ListedJob = ShownJob & {
  /** What of it is not whole. */
  readonly cut: readonly CutField[];
};

/** A row of `LISTED_SELECT` and `LISTED_ATTEMPTS`: of what may be large it has the begin of its JSON, and of two of these what is shown instead. */
export type ListedRow = Omit<ShownRow, WideField> & {
  readonly [Field in WideField]: string | null;
} & {
  readonly shortReason: ShownRow['reason'];
  readonly shortError: ShownRow['error'];
  /** The last one first; null: there are none. */
  readonly attempts: readonly (AttemptRow & { readonly cut: boolean })[] | null;
};

/** The most attempts of one job in a list. */
const MAX_ATTEMPTS = 20;
/** A field that is larger than this as JSON is cut, bytes. */
const MOST = 4_096;
/** The same for the error of an attempt, of which there are several. */
const MOST_OF_ATTEMPT = 1_024;
/** What is left of a text, characters. */
const SHORT = 256;
const SHORT_NAME = 128;

const large = (name: string, most = MOST) => `octet_length(${name}::text) > ${most}`;
const short = (name: string, text: string) =>
  `jsonb_strip_nulls(jsonb_build_object('name', left(${name}->>'name', ${SHORT_NAME}),
    'code', left(${name}->>'code', ${SHORT_NAME}), '${text}', left(${name}->>'${text}', ${SHORT})))`;
const shortIfLarge = (name: string, text: string) => `case when ${large(name)} then ${short(name, text)} end`;

/**
 * What to select for a `ListedRow`, of the table alias `j`, beside `LISTED_ATTEMPTS`. JSON is written as text once, here: to look how large it
 * is and then to send it would be twice, which is much of what a list of small jobs costs.
 */
export const LISTED_SELECT = `${shownSelect({
  of: (field) => `left(j.${field}::text, ${MOST + 1})`,
  time: wholeMs,
})}, ${shortIfLarge('j.reason', 'text')} as "shortReason", ${shortIfLarge('j.error', 'message')} as "shortError"`;

/**
 * The last attempts of a job, and one more where there are more, of the table alias `l`. They come with their job, as JSON: another statement
 * costs more.
 */
export const LISTED_ATTEMPTS = `(select json_agg(x) from (
  select ${attemptSelect(
    `case when ${large('a.error', MOST_OF_ATTEMPT)} then ${short('a.error', 'message')} else a.error end`,
    wholeMs,
  )}, coalesce(${large('a.error', MOST_OF_ATTEMPT)}, false) as cut
  from attempt a where a.job_id = l.id order by a.run desc, a.started_at desc, a.run_id desc limit ${MAX_ATTEMPTS + 1}) x) as attempts`;

/** Reads a row. */
export function listedJob(row: ListedRow): ListedJob {
  const cut: CutField[] = [];
  const read = (field: WideField, instead: unknown = null): unknown => {
    const text = row[field];
    if (text === null || Buffer.byteLength(text) <= MOST) return text === null ? null : JSON.parse(text);
    cut.push(field);
    return instead;
  };
  const record = shownRecord(row, {
    input: read('input'),
    meta: read('meta') as ShownRow['meta'],
    result: read('result'),
    reason: read('reason', row.shortReason) as ShownRow['reason'],
    error: read('error', row.shortError) as ShownRow['error'],
  });
  const found = row.attempts ?? [];
  const last = found.slice(0, MAX_ATTEMPTS).reverse();
  if (last.length < found.length || last.some((attempt) => attempt.cut)) cut.push('attempts');
  return { ...record, attempts: last.map(attemptRecord), cut };
}
