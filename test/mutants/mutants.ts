import type { Mutant } from './mutant.ts';
import { mutantsOfApi } from './of-api.ts';
import { mutantsOfJobs } from './of-jobs.ts';
import { mutantsOfLimits } from './of-limits.ts';
import { mutantsOfSchedules } from './of-schedules.ts';
import { mutantsOfSignIn } from './of-sign-in.ts';

/** The deliberate breaks of `npm run test:mutants`: one for each rule on which "nothing is lost, nothing runs twice" stands. */
export const mutants: readonly Mutant[] = [
  ...mutantsOfJobs,
  ...mutantsOfSchedules,
  ...mutantsOfLimits,
  ...mutantsOfApi,
  ...mutantsOfSignIn,
];
