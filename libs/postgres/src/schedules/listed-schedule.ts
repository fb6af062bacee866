import { SCHEDULE_REST, type ScheduleRecord, type ScheduleRow, scheduleRecord } from './schedule-record.ts';

/** A field of the job of a schedule that is cut in lists. */
type CutScheduleField = 'input' | 'meta';

/** A schedule in a list: of its job what is large is left out, `input` is null then and `meta` empty. */
export type ListedSchedule = ScheduleRecord & {
  /** What of its job is left out. */
  readonly cut: readonly CutScheduleField[];
};

/** A row of `listedPage`. */
export type ListedScheduleRow = ScheduleRow & {
  readonly cutInput: boolean;
  readonly cutMeta: boolean;
  /** How many there are before memory is looked at. */
  readonly found: number;
};

/** What the definitions of one answer may take, bytes of their text; one of them may pass it. */
export const MAX_LISTED_BYTES = 4 * 1024 ** 2;
/** A field that is larger than this as JSON is cut, bytes: as in lists of jobs. */
const MOST = 4_096;

/** What is stored so is small, which is seen without reading it. */
const SMALL = `(pg_column_compression(s.definition) is null and pg_column_size(s.definition) <= ${MOST})`;
/** What has so many bytes in memory has more than `MOST` as text, which takes longer to find out. */
const SURELY = 16 * MOST;
const large = (field: CutScheduleField) => `case when pg_column_size(of.job->'${field}') > ${SURELY} then true
  else coalesce(octet_length((of.job->'${field}')::text) > ${MOST}, false) end`;
/** Only an object has such a field, so that what is merged here is one. */
const LISTED = `case when cut."cutInput" or cut."cutMeta" then (s.definition - 'job') || jsonb_build_object('job', of.job
    || case when cut."cutInput" then '{"input": null}'::jsonb else '{}' end
    || case when cut."cutMeta" then '{"meta": {}}'::jsonb else '{}' end) else s.definition end`;
/** Of the job the task alone. */
const TIMED = `case when jsonb_typeof(of.job) = 'object'
  then (s.definition - 'job') || jsonb_build_object('job', jsonb_build_object('task', of.job->'task', 'input', null)) else s.definition end`;

/**
 * SQL of schedules for a list: inputs may have a megabyte each, and there are many of them.
 * @param page SQL of their ids
 * @param params.order of what is answered
 * @param params.budget SQL of how many bytes their definitions may have; one is there in any case
 */
export function listedPage(page: string, params: { order: string; budget: string }): string {
  const job = `case when not ${SMALL} then s.definition->'job' end`;
  const cut = `cross join lateral (select ${large('input')} as "cutInput", ${large('meta')} as "cutMeta" offset 0) cut`;
  return within({ ...params, page, job, with: cut, more: ', cut.*', definition: LISTED });
}

/** The same of schedules of which only is asked when they fire, and which task: of their jobs there is nothing else. */
export function timedPage(page: string, params: { order: string; budget: string }): string {
  return within({ ...params, page, job: `s.definition->'job'`, with: '', more: '', definition: TIMED });
}

/** A value that is compressed tells nothing of how large it is; each time that it is asked for something it is unpacked. */
function within(parts: {
  readonly page: string;
  readonly order: string;
  readonly budget: string;
  readonly job: string;
  readonly with: string;
  readonly more: string;
  readonly definition: string;
}): string {
  const { page, order, budget, job, with: joined, more, definition } = parts;
  return `select x.* from (select ${SCHEDULE_REST}, lean.definition ${more}, count(*) over ()::int as found,
      row_number() over by_place as place, sum(size.bytes) over by_place - size.bytes as before
    from (${page}) page join schedule s on s.id = page.id cross join lateral (select ${job} as job offset 0) of ${joined}
      cross join lateral (select ${definition} as definition offset 0) lean
      cross join lateral (select case when ${SMALL} then pg_column_size(s.definition) else octet_length(lean.definition::text) end as bytes
        offset 0) size
    window by_place as (order by ${order} rows unbounded preceding)) x
    where x.before < ${budget} order by x.place`;
}

/** Reads a row of `listedPage`. */
export function listedSchedule(row: ListedScheduleRow): ListedSchedule {
  const { cutInput, cutMeta } = row;
  return {
    ...scheduleRecord(row),
    cut: [...(cutInput ? (['input'] as const) : []), ...(cutMeta ? (['meta'] as const) : [])],
  };
}
