import { isTerminal, JOB_STATES, type JobState } from '@jetbeat/core';
import { type JobCounts, SCHEDULE_STATES, type ScheduleState, type Total } from '@jetbeat/core/http';
import {
  type CountSchedulesParams,
  countByState,
  countJobs,
  countSchedules,
  type Database,
  type JobFilter,
  schedulesByState,
} from '@jetbeat/postgres';
import { createBriefly } from '../briefly.ts';

/** Counts for requests. */
export interface Counting {
  jobs(filter: JobFilter): Promise<Total>;
  jobsByState(filter: JobFilter): Promise<JobCounts>;
  schedules(filter: CountSchedulesParams): Promise<Total>;
  schedulesByState(filter: CountSchedulesParams): Promise<Record<ScheduleState, number>>;
  /** What fits into another list, of which `filter` is the name with all that it is filtered by. */
  others(filter: readonly unknown[], count: () => Promise<Total>): Promise<Total>;
}

/** How old a count may be. */
const FRESH_MS = 1_000;
/** What is over stays so: of that there are never fewer, but where retention takes it. */
const CAPPED_FRESH_MS = 30_000;
/** Filters that are remembered. */
const MOST = 1_000;
/** Nobody pages through more for one number. */
const MOST_COUNTED = 10_000;

/** Counts each filter at most once a second, however many ask. */
export function createCounting(db: Database, clock: () => number): Counting {
  const remembering = <Value>(freshMs: (value: Value) => number = () => FRESH_MS) =>
    createBriefly<Value>({ freshMs, most: MOST });
  const jobs = remembering<Total>();
  const jobsOver = remembering<Total>(({ capped }) => (capped ? CAPPED_FRESH_MS : FRESH_MS));
  const jobsByState = remembering<JobCounts>();
  const statesOver = remembering<Map<JobState, Total>>(() => CAPPED_FRESH_MS);
  const schedules = remembering<Total>();
  const states = remembering<Record<ScheduleState, number>>();
  const others = remembering<Total>();
  /** What is capped of the states that end a job is looked up less often than the rest. */
  const byState = async (filter: JobFilter): Promise<Map<JobState, Total>> => {
    const { states = JOB_STATES } = filter;
    const count = (among: readonly JobState[]) =>
      countByState(db, { ...filter, states: among }, { most: MOST_COUNTED, now: clock() });
    const key = JSON.stringify(filter);
    let all: Map<JobState, Total> | undefined;
    const capped = await statesOver(key, async () => {
      all = await count(states);
      return new Map([...all].filter(([state, total]) => isTerminal(state) && total.capped));
    });
    // Whoever has looked this time has all of them.
    if (all) return all;
    const rest = await count(states.filter((state) => !capped.has(state)));
    return new Map([...capped, ...rest]);
  };
  return {
    jobs: (filter) =>
      (isOfOpen(filter) ? jobs : jobsOver)(JSON.stringify(filter), () =>
        countJobs(db, filter, { most: MOST_COUNTED, now: clock() }),
      ),
    jobsByState: (filter) =>
      jobsByState(JSON.stringify(filter), async () => {
        const found = await byState(filter);
        const ofState = (state: (typeof JOB_STATES)[number]) =>
          found.get(state) ?? { value: 0, capped: false };
        const entries = JOB_STATES.map((state) => [state, ofState(state)] as const);
        return {
          states: Object.fromEntries(entries) as JobCounts['states'],
          total: sum(entries.map(([, total]) => total)),
        };
      }),
    schedules: (filter) => schedules(JSON.stringify(filter), () => countSchedules(db, filter, MOST_COUNTED)),
    others: (filter, count) => others(JSON.stringify(filter), count),
    schedulesByState: (filter) =>
      states(JSON.stringify(filter), async () => {
        const found = await schedulesByState(db, filter);
        const entries = SCHEDULE_STATES.map((state) => [state, found.get(state) ?? 0]);
        return Object.fromEntries(entries) as Record<ScheduleState, number>;
      }),
  };
}

/** Whether it asks for jobs of open states alone, of which there may be fewer at any time. */
function isOfOpen({ states, terms }: JobFilter): boolean {
  return terms !== undefined || (states?.some((state) => !isTerminal(state)) ?? false);
}

function sum(totals: readonly Total[]): Total {
  return {
    value: totals.reduce((all, { value }) => all + value, 0),
    capped: totals.some(({ capped }) => capped),
  };
}
