import type { BatchAction, JobState } from '@jetbeat/core';
import type { Database } from '../database/database.ts';
import { SearchRefusedError } from '../database/errors.ts';
import { describeJobs, type JobsInBrief } from '../jobs/describe-jobs.ts';
import { conditionsOf, type JobConditions, type JobFilter, type Lead } from '../jobs/job-filter.ts';
import type { ScanBudget } from '../jobs/scan-jobs.ts';
import { searching, within } from '../jobs/searching.ts';
import { type LookTime, leadOf, lookInTime, unretried } from './batch-look.ts';

/** Which jobs a batch is for, as it is kept. */
export interface BatchFilter extends Omit<JobFilter, 'queues' | 'kept' | 'states'> {
  readonly states: readonly JobState[];
  /** These alone. */
  readonly ids?: readonly string[];
  /** What `terms` was read from. */
  readonly search?: string;
}

/** Which jobs a batch is for, as of when it was asked for. */
export interface BatchScope {
  readonly action: BatchAction;
  readonly filter: BatchFilter;
  /** The only queues of whoever asked for it; undefined: all. */
  readonly queues: readonly string[] | undefined;
  /** When it was asked for, Unix milliseconds: what was made or has ended later is none of its jobs. */
  readonly createdAt: number;
}

/** Whether a filter says what stands in inputs or notes, which not everybody may see. */
export function tellsPayloads({ meta, terms = [] }: BatchFilter): boolean {
  return meta !== undefined || terms.some(({ on }) => on === 'input' || on === 'meta');
}

/** Some jobs of a batch. */
export interface BatchPage {
  /** In their order. */
  readonly ids: readonly string[];
  /** All up to this id were looked at; absent: there are no more, or `isStalled`. */
  readonly edge?: string;
  /** Nothing could be looked at, because even a few jobs took too long. */
  readonly isStalled?: true;
}

/** They change what is over. */
const OF_ENDED: readonly BatchAction[] = ['retry', 'replay', 'discard'];
/** They are for what has no retry. */
const OF_UNRETRIED: readonly BatchAction[] = ['retry', 'replay'];
/** Jobs of each statement: mostly those that are looked for are among the first. */
const STEPS = [500, 5_000, 20_000] as const;
/** One statement; what is large of a job may take long to be looked into. Milliseconds. */
const STEP_MS = 1_000;

/**
 * Finds the next jobs of a batch, oldest first, and looks at as many jobs for that as the budget allows: then there may be fewer, and
 * more behind the edge. Steps that take too long are made shorter.
 * @param page.isAsked somebody waits for the answer: no more than the milliseconds of the budget is taken, and each step has its turn among the
 * searches; else it gets on at least a step, whatever that takes. Throws SearchRefusedError.
 */
export async function batchIds(
  db: Database,
  scope: BatchScope,
  page: {
    readonly limit: number;
    readonly after?: string | null;
    readonly budget: ScanBudget;
    readonly isAsked?: boolean;
  },
): Promise<BatchPage> {
  const { limit, budget, isAsked = false } = page;
  const conditions = conditionsFor(scope);
  if (conditions.none) return { ids: [] };
  const time = timeOf(budget, isAsked);
  const begin = page.after ?? undefined;
  const isOfUnretried = OF_UNRETRIED.includes(scope.action);
  const lead = await leadOf(db, { conditions, begin, time });
  const ids: string[] = [];
  let after = begin;
  const stopped = (): BatchPage => ({
    ids,
    ...(after === undefined ? {} : { edge: after }),
    ...(after === begin ? { isStalled: true } : {}),
  });
  let looked = 0;
  let most = Number.POSITIVE_INFINITY;
  for (let step = 0; !time.isUp(after !== begin); step++) {
    const rows = Math.min(most, rowsOf(step));
    const hasCome = after !== begin;
    const found = await lookInTime(db, { conditions, lead, after, rows, time, hasCome }).catch(
      (error: unknown) => {
        if (hasCome && error instanceof SearchRefusedError) return undefined;
        throw error;
      },
    );
    if (!found) break;
    if (found.rows < rows) most = found.rows;
    looked += found.looked;
    const fits = isOfUnretried ? await unretried(db, found.ids, { most: limit - ids.length, time }) : found;
    ids.push(...fits.ids);
    const last = ids[limit - 1];
    if (last !== undefined) return { ids: ids.slice(0, limit), edge: last };
    if ('through' in fits) {
      after = fits.through ?? after;
      break;
    }
    after = found.edge;
    if (after === undefined) return { ids };
    if (looked >= budget.rows) break;
  }
  return stopped();
}

function rowsOf(step: number): number {
  return STEPS[step] ?? STEPS[2];
}

function timeOf({ ms, stepMs = STEP_MS }: ScanBudget, isAsked: boolean): LookTime {
  const begun = performance.now();
  const left = () => ms - (performance.now() - begun);
  return {
    stepMs: () => (isAsked ? Math.min(stepMs, Math.max(1, Math.floor(left()))) : stepMs),
    run: isAsked ? searching : within,
    isUp: (hasCome) => (isAsked || hasCome) && left() <= 0,
  };
}

/** How far is counted. Other searches have their turns between the steps. */
const COUNT_BUDGET: ScanBudget = { rows: 200_000, ms: 1_000, stepMs: 100 };

/** How many jobs a batch is for, counted up to `most`, or as far as a second reaches. Throws SearchRefusedError. */
export async function countBatch(
  db: Database,
  scope: BatchScope,
  most: number,
): Promise<{ readonly value: number; readonly capped: boolean }> {
  return (await counted(db, scope, most)).total;
}

/** The same, with what the jobs are; of that as much as the rest of the second reaches for, or a step beyond it. */
export async function describeBatch(
  db: Database,
  scope: BatchScope,
  most: number,
): Promise<{ readonly total: { readonly value: number; readonly capped: boolean } } & JobsInBrief> {
  const begun = performance.now();
  const { total, ids } = await counted(db, scope, most);
  const left = COUNT_BUDGET.ms - (performance.now() - begun);
  return { total, ...(await describeJobs(db, ids, left)) };
}

async function counted(db: Database, scope: BatchScope, most: number) {
  const page = { limit: most + 1, budget: COUNT_BUDGET, isAsked: true };
  const { ids, edge, isStalled = false } = await batchIds(db, scope, page);
  const total = { value: Math.min(ids.length, most), capped: isStalled || edge !== undefined };
  return { total, ids: ids.slice(0, most) };
}

/** What must hold for a job of a batch. */
export function conditionsFor({ action, filter, queues, createdAt }: BatchScope): JobConditions {
  const { ids, ...rest } = filter;
  const isDead = action === 'replay' || action === 'discard';
  const conditions = conditionsOf({
    ...rest,
    ...(queues ? { queues } : {}),
    ...(isDead ? { kept: true } : {}),
  });
  const at = new Date(createdAt);
  return {
    ...conditions,
    leads: [...conditions.leads, ...(ids ? [{ column: 'id', values: ids } satisfies Lead] : [])],
    rest: [
      ...conditions.rest,
      (bind) => `j.created_at <= ${bind(at)}`,
      // That holds already; see `fittingOf` for those of the batch itself.
      ...(action === 'cancel' ? [() => 'j.cancel_requested_at is null'] : []),
      // What was told to run since then has been, by the batch itself or somebody else, also where it waits again, for its next attempt.
      ...(action === 'run-now'
        ? [(bind: Bound) => `(j.moved_below is null or j.run_at < ${bind(at)} or j.run_at > now())`]
        : []),
      ...(OF_ENDED.includes(action) ? [(bind: Bound) => `j.finished_at <= ${bind(at)}`] : []),
    ],
  };
}

type Bound = (value: unknown) => string;
