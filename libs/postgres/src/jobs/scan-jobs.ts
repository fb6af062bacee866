import { type Database, inside } from '../database/database.ts';
import { SearchRefusedError } from '../database/errors.ts';
import { chooseLead } from './choose-lead.ts';
import type { AskedAt, JobConditions } from './job-filter.ts';
import { lookAtJobs } from './look-at-jobs.ts';
import { type Walked, type WalkFrom, windowsOf } from './walk-jobs.ts';

/** How far one call may look. */
export interface ScanBudget {
  /** Jobs at most. */
  readonly rows: number;
  /** Then no further job is looked at, but for the few with which it gets on at all. */
  readonly ms: number;
  /** How long those few may take, milliseconds. */
  readonly stepMs?: number;
}

/** What a scan has found. */
export interface Scan {
  /** Newest first. */
  readonly ids: readonly string[];
  /** The last id that was looked at; absent: all were. */
  readonly edge?: string;
}

/** As long as one answer should take, on a machine that does other things too. */
const SCAN_BUDGET: ScanBudget = { rows: 10_000, ms: 25 };
/** Jobs of the first step: most searches find what they look for among the newest. */
const FIRST_STEP = 400;
/** No further step is smaller: to plan it costs as much as to look at so many. */
const FURTHER_STEP = 1_000;
/** Where there are no more than a first step has, older ones are looked at too until then, milliseconds: to plan may have taken all the time. */
const SMALL_MS = 250;
/** What a step has at least, milliseconds: in less it would hardly begin. */
const LEAST_MS = 5;
/** Where jobs fit as often as so far, a step finds enough among so many times what is needed. */
const AMPLE = 1.5;
/** A step ends when its time is over, so it may well be given more than it is likely to do. */
const HOPEFUL = 3;

/**
 * Walks through jobs, newest first, and looks at each one, until `most` fit or the budget is used up. Of several indexes that could
 * lead it takes the one that gets furthest back in time. Throws SearchRefusedError.
 */
export async function scanJobs(
  db: Database,
  params: WalkFrom & AskedAt & { conditions: JobConditions; most: number; budget?: ScanBudget },
): Promise<Scan> {
  const { conditions, below, now, most, budget = SCAN_BUDGET } = params;
  const begun = performance.now();
  const leftMs = () => budget.ms - (performance.now() - begun);
  const whole: Walked = { ...conditions, below };
  const lead = await chooseLead(inside(db), conditions, { walked: whole, now });
  const [newest = whole, ...older] = windowsOf(whole, now);
  let walked: Walked | undefined = newest;
  const ids: string[] = [];
  let looked = 0;
  let tookMs = 0;
  let isOpen = true;
  // Whatever it takes, it gets on.
  do {
    const window: Walked = walked;
    const hasCome = looked > 0 || window !== newest;
    const so = { looked, tookMs, most, found: ids.length, leftMs: leftMs() };
    const step = {
      conditions,
      lead,
      walked: window,
      most: most - ids.length,
      leastMs: budget.stepMs,
      rows: Math.min(budget.rows - looked, looked === 0 ? FIRST_STEP : rowsOf(so)),
      ms: Math.max(LEAST_MS, so.leftMs),
      isFirst: !hasCome,
    };
    const stepBegun = performance.now();
    const found = await lookAtJobs(db, step).catch((error: unknown) => {
      if (hasCome && error instanceof SearchRefusedError) return undefined;
      throw error;
    });
    if (!found) break;
    tookMs += performance.now() - stepBegun;
    ids.push(...found.ids);
    looked += found.looked;
    walked = found.edge === undefined ? older.shift() : { ...window, below: found.edge };
    const isSmall = found.edge === undefined && looked < FIRST_STEP && performance.now() - begun < SMALL_MS;
    isOpen = leftMs() > 0 || isSmall;
  } while (walked && ids.length < most && looked < budget.rows && isOpen);
  const edge = walked?.below;
  return { ids: ids.slice(0, most), ...(edge === undefined ? {} : { edge }) };
}

/** How many jobs are likely to be enough, or as many as can be read in time: they are read even where no time is left to look at them. */
function rowsOf(so: { looked: number; tookMs: number; found: number; most: number; leftMs: number }): number {
  const { looked, tookMs, found, most, leftMs } = so;
  const enough = found === 0 ? Number.POSITIVE_INFINITY : ((most - found) * looked * AMPLE) / found;
  return Math.max(FURTHER_STEP, Math.ceil(Math.min(enough, (HOPEFUL * leftMs * looked) / tookMs)));
}
