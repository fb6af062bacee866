import { describeIssues } from '../errors.ts';
import { decodeEnvelope, encodeEnvelope, FIRST_POSITION, type JobEnvelope } from '../jobs/envelope.ts';
import { oddField } from '../odd-field.ts';
import { refOf } from '../unique/unique.ts';
import { SCHEDULE_DEFAULTS, type ScheduledJob, type ScheduleSpec } from './schedule.ts';
import { validateSchedule } from './validate-schedule.ts';

/** Fields of a schedule that hold a number where they are there. */
const NUMBERS = ['jitter', 'startAt', 'endAt', 'maxRuns', 'catchUpWindow', 'pauseAfterFailures'] as const;
/** What the passing of time makes of a sound schedule. */
const PASSING = new Set(['never_fires']);

/** What is stored of a schedule, with what holds where it says nothing: somebody may have written it in plain SQL. */
export function storedDefinition(stored: unknown, name: string): ScheduleSpec {
  return { ...SCHEDULE_DEFAULTS, ...(isObject(stored) ? stored : {}), name } as ScheduleSpec;
}

/**
 * Why a stored definition cannot be planned: somebody has written it in plain SQL, where nothing checks it. Undefined for
 * a sound one.
 * @param now Unix milliseconds
 */
export function definitionProblem(definition: ScheduleSpec, now: number): string | undefined {
  const { when, job, catchUp } = definition as { when: unknown; job: unknown; catchUp: unknown };
  if (!isObject(job) || typeof job['task'] !== 'string') return '/job/task: a schedule makes jobs of a task';
  if (!isObject(when) && !Array.isArray(when))
    return '/when: a schedule needs a rule, such as {"cron": "0 3 * * *"}';
  if (catchUp !== 'latest' && catchUp !== 'none' && !isObject(catchUp))
    return '/catchUp: one of "latest", "none", {"all": n}';
  const wrong = NUMBERS.find((field) => !['undefined', 'number'].includes(typeof definition[field]));
  if (wrong !== undefined) return `/${wrong}: a number, durations and times in milliseconds`;
  const issuesOf = (spec: ScheduleSpec) => {
    tryJob(spec.job);
    return validateSchedule(spec, now).filter(({ code }) => !PASSING.has(code));
  };
  try {
    const issues = issuesOf(definition);
    return issues.length === 0 ? undefined : describeIssues(issues);
  } catch {
    // What the engine says of a value that is of another kind names no field.
    return oddField({ ...definition }, (one) => issuesOf({ ...one, name: definition.name } as ScheduleSpec));
  }
}

/**
 * Writes and reads a job as this one would be.
 * @throws MalformedMessageError where no worker could read it
 */
function tryJob(job: ScheduledJob): void {
  const { task, input = null, meta, retry, timeout, onSuccess, onFailure, concurrency, unique } = job;
  const { queue = 'default', priority = 'normal', expires } = job;
  const policy = JSON.parse(JSON.stringify({ retry, timeout, onSuccess, onFailure, concurrency }));
  const envelope: JobEnvelope = {
    v: 1,
    id: SOME_ID,
    task,
    queue,
    priority,
    input,
    policy,
    createdAt: 0,
    runAt: 0,
    ...FIRST_POSITION,
    ...(meta === undefined ? {} : { meta }),
    ...(expires === undefined ? {} : { expiresAt: expires }),
    ...(unique === undefined ? {} : { unique: refOf(unique) }),
  };
  decodeEnvelope(encodeEnvelope(envelope));
}

const SOME_ID = '00000000-0000-7000-8000-000000000000';

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
