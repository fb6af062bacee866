import { createHash } from 'node:crypto';
import {
  type Call,
  makeCall,
  matchesGlob,
  NO_CALLBACKS,
  type Settings,
  type ToldEnd,
  tellEnd,
  uuidTime,
  uuidV7,
  WEBHOOK_TASK,
  webhookInput,
} from '@jetbeat/core';
import type {
  Follow,
  Followed,
  JobRecord,
  NewJob,
  NoticeCount,
  ToFollow,
  UnmadeFollow,
} from '@jetbeat/postgres';
import type { NoticeRule } from '@jetbeat/runtime';
import { endedJob } from './ended-job.ts';

/** Origin of the jobs that bring notices: of their ends nobody is told, or it would go round in circles. */
export const NOTICE_ORIGIN = 'notice';

/** The built-in task that sends e-mails. */
const EMAIL_TASK = 'email.send';
/** How much of an error or a reason is in an e-mail, characters. */
const MAX_TEXT = 1_000;

/** What notices are made of. */
export interface NoticesParams {
  readonly rules: readonly NoticeRule[];
  readonly settings: Settings;
  /** Unix milliseconds. */
  readonly now: number;
  /** Makes the row of a notice's job. */
  readonly newJob: (call: Call) => NewJob;
}

/** What is to be told. */
interface Notice {
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  readonly event: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly parent?: string;
}

/**
 * Makes the notices of jobs that have ended, one for each job and rule, as jobs whose ids follow from both. What is beyond a
 * rule's rate is counted, and told of together when its period is over. One that cannot be made holds up no other.
 */
export async function makeNotices(
  params: NoticesParams,
  ended: readonly ToFollow[],
  known: readonly NoticeCount[],
): Promise<Followed> {
  const { rules } = params;
  const follows: Follow[] = [];
  const unmade: UnmadeFollow[] = [];
  const counts: NoticeCount[] = [];
  for (const rule of rules) {
    const ask = { ...params, rule, key: keyOf(rule) };
    const made = await noticesOf(ask, ended, known);
    follows.push(...made.follows);
    unmade.push(...made.unmade);
    counts.push(...made.counts);
  }
  return { follows, counts, unmade };
}

/** Makes the notices of one rule. */
async function noticesOf(
  params: NoticesParams & { rule: NoticeRule; key: string },
  ended: readonly ToFollow[],
  known: readonly NoticeCount[],
): Promise<Followed> {
  const { rule, key, now } = params;
  const { limit, periodMs } = rule.rate;
  const what = `notice:${key}`;
  const follows: Follow[] = [];
  const unmade: UnmadeFollow[] = [];
  const before = known.find((count) => count.rule === key);
  let count = before;
  const tryMake = async (notice: () => Notice, of?: string): Promise<boolean> => {
    try {
      const job = await make(params, rule, notice());
      follows.push({ what, job, ...(of === undefined ? {} : { of }) });
      return true;
    } catch (error) {
      unmade.push({ job: of, what, error });
      return false;
    }
  };
  const closeOld = async () => {
    const old = count;
    if (old && old.until > now) return old;
    const until = now + periodMs;
    const told = !old || old.held === 0 || (await tryMake(() => summary(rule, old)));
    // What could not be told of is told of after one period more.
    count = told ? { rule: key, since: now, until, sent: 0, held: 0 } : { ...old, until, sent: 0 };
    return count;
  };
  for (const { job, only } of ended) {
    if (!concerns(rule, job) || (only && !only.has(what))) continue;
    const current = await closeOld();
    if (current.sent >= limit) count = { ...current, held: current.held + 1 };
    else if (await tryMake(() => ofJob(key, job), job.id)) count = { ...current, sent: current.sent + 1 };
  }
  if (count && count.held > 0) await closeOld();
  return { follows, unmade, counts: count && count !== before ? [count] : [] };
}

/** Whether this rule is to tell of this job. */
export function concerns(
  rule: NoticeRule,
  job: Pick<JobRecord, 'state' | 'task' | 'queue' | 'origin'>,
): boolean {
  const { on, task = '*', queue = '*' } = rule;
  return (
    job.origin !== NOTICE_ORIGIN &&
    on.some((state) => state === job.state) &&
    matchesGlob(task, job.task) &&
    matchesGlob(queue, job.queue)
  );
}

/** Names a rule by what it says, so that a changed one counts anew. */
function keyOf(rule: NoticeRule): string {
  return createHash('sha256').update(JSON.stringify(rule)).digest('base64url');
}

function idOf(ms: number, what: string): string {
  return uuidV7(ms, createHash('sha256').update(`notice\n${what}`).digest());
}

function ofJob(rule: string, job: JobRecord): Notice {
  const told = tellEnd(endedJob(job));
  return {
    id: idOf(uuidTime(job.id), `${rule}\n${job.id}`),
    subject: `${told.task} ${words(told.state)}`,
    text: describe(told),
    event: `job.${told.state}`,
    body: { job: told },
    parent: job.id,
  };
}

/** Says in a few lines how a job has ended. */
function describe({ id, task, queue, state, attempt, finishedAt, reason, error, meta }: ToldEnd): string {
  const lines = [
    `The job ${id} ${words(state)}.`,
    '',
    `task: ${task}`,
    `queue: ${queue}`,
    `attempts: ${attempt}`,
    `ended: ${finishedAt}`,
  ];
  if (reason) lines.push(`reason: ${reason.code}: ${reason.text.slice(0, MAX_TEXT)}`);
  if (error) lines.push(`error: ${error.name}: ${error.message.slice(0, MAX_TEXT)}`);
  for (const [name, text] of Object.entries(meta)) lines.push(`${name}: ${text.slice(0, MAX_TEXT)}`);
  return `${lines.join('\n')}\n`;
}

function summary({ on }: NoticeRule, { rule, since, until, held }: NoticeCount): Notice {
  const how = on.join(' or ');
  const more = `${held} more ${held === 1 ? 'job is' : 'jobs are'} ${how}`;
  const [from, to] = [since, until].map((time) => new Date(time).toISOString());
  return {
    id: idOf(until, `${rule}\n${since}`),
    subject: `and ${more}`,
    text: `Since ${from} ${more}, of which nobody was told one by one.\n`,
    event: 'jobs.more',
    body: { more: held, on, from, to },
  };
}

function words(state: string): string {
  return state === 'dead' ? 'is dead' : 'has expired';
}

async function make(params: NoticesParams, rule: NoticeRule, notice: Notice): Promise<NewJob> {
  const { settings, now, newJob } = params;
  const { email, webhook } = rule;
  const { id, subject, text, event, body, parent } = notice;
  const input = webhook
    ? webhookInput(webhook, id, { event, ...body })
    : { ...email, subject: `Jetbeat: ${subject}`, text };
  const call = await makeCall({
    id,
    input,
    now,
    settings,
    task: webhook ? WEBHOOK_TASK : EMAIL_TASK,
    options: NO_CALLBACKS,
    ...(parent === undefined ? {} : { parent }),
  });
  return newJob(call);
}
