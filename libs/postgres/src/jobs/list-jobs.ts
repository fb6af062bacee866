import { uuidTime } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import type { How } from '../database/sql.ts';
import {
  type AskedAt,
  type Bind,
  conditionsOf,
  type JobConditions,
  type JobFilter,
  type Lead,
} from './job-filter.ts';
import { LISTED_ATTEMPTS, LISTED_SELECT, type ListedJob, type ListedRow, listedJob } from './listed-job.ts';
import { type ScanBudget, scanJobs } from './scan-jobs.ts';
import { binder, newestOf, readingsOf, type Walked } from './walk-jobs.ts';

/** Which jobs to list. */
export interface ListJobsParams extends JobFilter, AskedAt {
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  /** How far one page may look where no index tells what fits. */
  readonly budget?: ScanBudget;
}

/** A page of jobs. */
export interface JobsPage {
  readonly jobs: readonly ListedJob[];
  /** The id behind which it goes on; absent: that was all. */
  readonly next?: string;
  /** Where jobs were looked at one by one. */
  readonly searched?: Searched;
}

/** How far a search has looked. */
export interface Searched {
  /** Back to this time, Unix milliseconds; absent where there was nothing to look at. */
  readonly until?: number;
  /** All was looked at that there is. */
  readonly complete: boolean;
}

const PREPARED = { prepared: true };
/** Jobs of a page, and one more that tells that there are more. */
const SIZES = [51, 201];

/**
 * Lists jobs with their attempts, newest first: by id descending, whose leading part is the creation time, or the nominal
 * time for the job of an occurrence. What is large of a job is cut: a page is a few megabytes at most, whatever the jobs hold. Where no
 * index tells which jobs fit they are looked at one by one, as far as the budget allows: then a page may be short, or empty, and go on.
 */
export async function listJobs(db: Database, params: ListJobsParams): Promise<JobsPage> {
  const conditions = conditionsOf(params);
  if (conditions.none) return { jobs: [] };
  const isTold = conditions.rest.length === 0 && conditions.leads.length < 2;
  return (isTold ? listed : searched)(db, conditions, params);
}

/** What one index tells. */
async function listed(
  db: Database,
  conditions: JobConditions,
  { limit, after, now }: ListJobsParams,
): Promise<JobsPage> {
  const [lead] = conditions.leads;
  const sql = inside(db);
  // Written into the text, so that the planner knows it; of the same text each connection has one plan.
  const most = SIZES.find((size) => limit < size) ?? limit + 1;
  const rows: ListedRow[] = [];
  const { windows, how } = readingsOf({ ...conditions, below: after }, now);
  for (const walked of windows) {
    const { values, bind } = binder();
    const newest = newestListed(lead, { walked, limit: String(most), bind, how });
    rows.push(...(await sql.rows<ListedRow>(listedRows(newest, bind(limit + 1)), values, how)));
    if (rows.length > limit) break;
  }
  const jobs = rows.slice(0, limit).map(listedJob);
  const last = rows.length > limit ? jobs.at(-1) : undefined;
  return { jobs, ...(last ? { next: last.id } : {}) };
}

/** SQL of rows as lists show them, newest first. */
function listedRows(selected: string, limit: string): string {
  return `select l.*, ${LISTED_ATTEMPTS} from (${selected}) l order by l.id desc limit ${limit}`;
}

/** SQL of the newest jobs of a lead. */
function newestListed(
  lead: Lead | undefined,
  walk: { walked: Walked; limit: string; bind: Bind; how: How },
): string {
  const isOne = lead === undefined || lead.values.length === 1;
  const { each, newest } = newestOf(lead, { ...walk, select: isOne ? LISTED_SELECT : 'j.id' });
  if (isOne) return `select n.* from ${each} cross join lateral (${newest}) n`;
  // Of several values only those that are shown are looked into.
  const ids = `select n.id from ${each} cross join lateral (${newest}) n order by n.id desc limit ${walk.limit}`;
  return `select ${LISTED_SELECT} from (${ids}) found join job j on j.id = found.id`;
}

/** What has to be looked for. */
async function searched(
  db: Database,
  conditions: JobConditions,
  { limit, after, budget, now }: ListJobsParams,
): Promise<JobsPage> {
  const scan = await scanJobs(db, {
    conditions,
    most: limit + 1,
    below: after,
    now,
    ...(budget ? { budget } : {}),
  });
  const ids = scan.ids.slice(0, limit);
  const rows = ids.length === 0 ? [] : await inside(db).rows<ListedRow>(OF_IDS, [ids], PREPARED);
  const jobs = rows.map(listedJob);
  const next = scan.ids.length > limit ? ids.at(-1) : scan.edge;
  const until = next ?? conditions.from;
  return {
    jobs,
    ...(next === undefined ? {} : { next }),
    searched: { complete: next === undefined, ...(until === undefined ? {} : { until: uuidTime(until) }) },
  };
}

const OF_IDS = listedRows(
  `select ${LISTED_SELECT} from unnest($1::uuid[]) as of(id) join job j on j.id = of.id`,
  'all',
);

/** One job as a list shows it; undefined when it is not known. */
export async function getListedJob(db: Database, id: string): Promise<ListedJob | undefined> {
  const text = listedRows(`select ${LISTED_SELECT} from job j where j.id = $1`, '1');
  const row = await inside(db).row<ListedRow>(text, [id]);
  return row && listedJob(row);
}
