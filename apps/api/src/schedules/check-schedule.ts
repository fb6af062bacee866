import {
  describeIssues,
  type Issue,
  type ScheduledJob,
  type ScheduleSpec,
  validateSchedule,
} from '@jetbeat/core';
import type { Caller, Scoped } from '../access/caller.ts';
import { checkCallbacks } from '../access/check-payloads.ts';
import { checkScope } from '../access/check-scope.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { misfit } from '../jobs/check-input.ts';
import { refuseOversized } from '../jobs/refuse-oversized.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';

/** What an envelope of a schedule's job has beside what the schedule says: ids, times and the schedule's name. */
const OWN_FIELDS_BYTES = 1_024;

/** For who may not see the input of the schedule. */
const MISFIT = 'the stored input does not fit this task: say the whole schedule with PUT';

type Checks = Pick<Parts, 'checkInput' | 'maxPayload' | 'settings'>;

/**
 * Refuses a schedule that cannot be kept, or could never make a job.
 * @param params.keepsInput its input is that of `before`, so that what is wrong with it is told only to who may see it
 * @param params.before the schedule that it takes the place of: one whose times are over may be changed in all else
 * @param params.pointer where it stands in the body
 * @throws ApiError queue_not_allowed, payloads_hidden, invalid_schedule, invalid_input, payload_too_large
 */
export function checkSchedule(
  parts: Checks,
  params: {
    definition: ScheduleSpec;
    fleet: Fleet;
    now: number;
    /** Who writes it. */
    caller: Scoped & Pick<Caller, 'payloads'>;
    before?: ScheduleSpec;
    keepsInput?: boolean;
    pointer?: string;
  },
): void {
  const { definition, fleet, now, caller, before, keepsInput = false, pointer = '' } = params;
  const { job } = definition;
  checkScope(caller, job, { settings: parts.settings, fleet, pointer: `${pointer}/job` });
  checkCallbacks(caller, job, { ...(before ? { before: before.job } : {}), pointer: `${pointer}/job` });
  const place = (issue: Issue): Issue => ({ ...issue, pointer: `${pointer}${issue.pointer}` });
  const wrong = validateSchedule(definition, now)
    .filter(({ code }) => code !== 'never_fires' || !before || !isSameTime(definition, before))
    .map(place);
  if (wrong.length > 0) throw new ApiError('invalid_schedule', describeIssues(wrong), { issues: wrong });
  const isHidden = keepsInput && !caller.payloads;
  checkJobOf(parts, { job, fleet, pointer: `${pointer}/job/input`, isHidden });
}

/**
 * Refuses a job of a schedule that could never run.
 * @param params.pointer where its input stands in the body
 * @param params.isHidden whether the caller may not see it
 * @throws ApiError invalid_input, payload_too_large
 */
export function checkJobOf(
  { checkInput, maxPayload }: Checks,
  params: { job: ScheduledJob; fleet: Fleet; pointer: string; isHidden?: boolean },
): void {
  const { job, fleet, pointer, isHidden = false } = params;
  const task = fleet.tasks.get(job.task);
  const issues = task ? checkInput(task, job.input, pointer) : [];
  if (issues.length > 0) throw misfit(issues, isHidden ? MISFIT : undefined);
  const envelope = Buffer.byteLength(JSON.stringify(job)) + OWN_FIELDS_BYTES;
  refuseOversized({ envelope, most: maxPayload(), pointer });
}

function isSameTime(one: ScheduleSpec, other: ScheduleSpec): boolean {
  const text = ({ when, timeZone, exclude, startAt, endAt, dst }: ScheduleSpec) =>
    canonical({ when, timeZone, exclude, startAt, endAt, dst });
  return text(one) === text(other);
}

/** JSON in which the order of keys does not matter. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
