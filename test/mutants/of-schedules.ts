import type { Mutant } from './mutant.ts';

/** Breaks of when schedules fire. */
export const mutantsOfSchedules: readonly Mutant[] = [
  {
    name: 'occurrence-twice',
    breaks: 'a nominal time of a schedule has one row',
    file: 'libs/postgres/src/migrations/initial.ts',
    search: 'primary key (schedule_id, nominal_time, origin)',
    replace: 'unique (schedule_id, nominal_time, origin, lateness_ms)',
    tests: ['libs/postgres/src/schedules/scheduling.test.ts'],
  },
  {
    name: 'fold-fires-twice',
    breaks: 'a daily time that the clock shows twice fires once',
    file: 'libs/core/src/when/wall-clock.ts',
    search: 'both ? after : Math.max(after, repeatedUntil - 1)',
    replace: 'both ? after : Math.max(after, repeatedUntil - repeatedUntil)',
    tests: ['libs/core/src/when/recurrence.test.ts'],
  },
  {
    name: 'gap-left-out',
    breaks: 'a daily time that the clock jumps over fires later by the length of the gap',
    file: 'libs/core/src/when/wall-clock.ts',
    search: "if (gap === 'skip' || after >= shiftedUntil) return regular;",
    replace: "if (gap === 'skip' || after <= shiftedUntil) return regular;",
    tests: ['libs/core/src/when/recurrence.test.ts'],
  },
  {
    name: 'catch-up-none-runs',
    breaks: 'a schedule that catches nothing up makes no job for what it missed',
    file: 'libs/core/src/schedules/catch-up.ts',
    search: "return catchUp === 'latest' ? 1 : 0;",
    replace: 'return 1;',
    tests: ['libs/core/src/schedules/catch-up.test.ts'],
  },
  {
    name: 'edit-in-retrospect',
    breaks: 'an edit holds from its time on: nothing of before is lost, and nothing fires in retrospect',
    file: 'libs/core/src/schedules/plan.ts',
    search: 'const old = superseded.find(({ until }) => until > cursor);',
    replace: 'const old = superseded.find(({ until }) => until < cursor);',
    tests: ['libs/core/src/schedules/plan-edits.test.ts'],
  },
  {
    name: 'buffered-last',
    breaks: 'who waits for the job before it comes before whoever is due now',
    file: 'libs/core/src/schedules/overlap.ts',
    search: "if (openJobs === 0 && rule !== 'buffer-all')",
    replace: 'if (openJobs < 0)',
    tests: ['libs/core/src/schedules/overlap.test.ts'],
  },
  {
    name: 'overlap-ignored',
    breaks: 'with overlap "skip" nothing fires while a job is open',
    file: 'libs/core/src/schedules/overlap.ts',
    search: "if (rule === 'allow' || (openJobs === 0 && waiting === 0))",
    replace: "if (rule === 'allow' || openJobs >= 0)",
    tests: ['libs/core/src/schedules/overlap.test.ts'],
  },
  {
    name: 'search-given-up-is-over',
    breaks: 'a schedule whose next times are all excluded is looked at again',
    file: 'libs/core/src/schedules/plan.ts',
    search: 'const upTo = recurrence?.gaveUp(cursor);',
    replace: 'const upTo = recurrence === undefined ? recurrence : undefined;',
    tests: ['libs/core/src/schedules/plan.test.ts'],
  },
];
