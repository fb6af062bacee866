import type { JobState } from '@jetbeat/core';
import type { Database } from '../database/database.ts';
import { isTooSlow, SearchRefusedError } from '../database/errors.ts';
import { ms, type Sql } from '../database/sql.ts';
import { searching } from './searching.ts';

/** A job by what it is, without what is in it. */
interface JobInBrief {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: JobState;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

/** What some jobs are, by count. */
export interface JobsInBrief {
  /** How many of them it tells of. */
  readonly of: number;
  readonly states: Readonly<Record<string, number>>;
  /** Those with the most jobs. */
  readonly queues: Readonly<Record<string, number>>;
  /** The same. */
  readonly tasks: Readonly<Record<string, number>>;
  /** The first ones. */
  readonly first: readonly JobInBrief[];
}

/** Jobs of each statement. */
const CHUNK = 2_000;
/** One statement, milliseconds. */
const STEP_MS = 100;
const MOST_NAMES = 20;
const MOST_FIRST = 5;

interface Group {
  readonly state: string;
  readonly queue: string;
  readonly task: string;
  readonly jobs: number;
}

/**
 * Tells what jobs are, each step in its turn among the searches; those of the first step in any case, of the others as many as `leftMs`
 * milliseconds reach for.
 */
export async function describeJobs(
  db: Database,
  ids: readonly string[],
  leftMs: number,
): Promise<JobsInBrief> {
  const end = performance.now() + leftMs;
  const groups: Group[] = [];
  let first: readonly JobInBrief[] = [];
  let at = 0;
  while (at < ids.length && (at === 0 || performance.now() < end)) {
    const chunk = ids.slice(at, at + CHUNK);
    const isFirst = at === 0;
    const found = await searching(db, STEP_MS, async (sql) => {
      if (isFirst) first = await inBrief(sql, chunk.slice(0, MOST_FIRST));
      return sql.rows<Group>(GROUPS, [chunk]);
    }).catch(orTooBusy);
    if (!found) break;
    groups.push(...found);
    at += chunk.length;
  }
  return {
    of: Math.min(at, ids.length),
    states: most(groups, ({ state }) => state),
    queues: most(groups, ({ queue }) => queue),
    tasks: most(groups, ({ task }) => task),
    first,
  };
}

const GROUPS = `select j.state, j.queue, j.task, count(*)::int as jobs from job j where j.id = any($1::uuid[])
  group by j.state, j.queue, j.task`;

async function inBrief(sql: Sql, ids: readonly string[]): Promise<readonly JobInBrief[]> {
  return sql.rows<JobInBrief>(
    `select j.id, j.task, j.queue, j.state, ${ms('j.created_at')} as "createdAt" from job j
     where j.id = any($1::uuid[]) order by j.id`,
    [ids],
  );
}

/** What there is by then is told. */
function orTooBusy(error: unknown): undefined {
  if (!isTooSlow(error) && !(error instanceof SearchRefusedError)) throw error;
}

function most(groups: readonly Group[], name: (group: Group) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const group of groups) counts.set(name(group), (counts.get(name(group)) ?? 0) + group.jobs);
  const sorted = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return Object.fromEntries(sorted.slice(0, MOST_NAMES));
}
