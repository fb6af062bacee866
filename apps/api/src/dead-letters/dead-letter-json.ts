import type { DeadLetter } from '@jetbeat/core/http';
import type { DeadMessage } from '@jetbeat/jetstream';
import type { JobWithAttempts, ListedJob, ShownJob } from '@jetbeat/postgres';
import { jobJson, listedJobJson, timeText } from '../jobs/job-json.ts';

/** How the id of a message begins that never was a job; its sequence in DEAD follows. */
const PREFIX = 'message-';
const SEQUENCE = /^message-(\d{1,15})$/;

/** A dead job as a list shows it. */
export function listedDeadJson(job: ListedJob): DeadLetter {
  return { ...letterOf(job), job: listedJobJson(job) };
}

/** A dead job, whole. */
export function deadJobJson(job: JobWithAttempts, retries: readonly string[]): DeadLetter {
  return { ...letterOf(job), job: jobJson(job), retries: [...retries] };
}

function letterOf({ id, task, queue, reason, finishedAt = 0 }: ShownJob): Omit<DeadLetter, 'job'> {
  return {
    id,
    task,
    queue,
    reason: { code: reason?.code ?? 'unknown', text: reason?.text ?? '' },
    diedAt: timeText(finishedAt),
  };
}

/** A message that never was a job. */
export function malformedJson(dead: DeadMessage, { whole }: { readonly whole: boolean }): DeadLetter {
  const { seq, task, queue, reason, storedAt, from, headers, data, truncated } = dead;
  const message = {
    subject: from?.subject ?? null,
    headers: Object.fromEntries(headers),
    body: Buffer.from(data).toString('base64'),
    truncated,
  };
  return {
    id: `${PREFIX}${seq}`,
    task,
    queue,
    reason: { code: reason.code, text: reason.text },
    diedAt: timeText(storedAt),
    job: null,
    ...(whole ? { message } : {}),
  };
}

/** The sequence in DEAD of a message that never was a job; undefined for any other id. */
export function sequenceOf(id: string): number | undefined {
  const text = SEQUENCE.exec(id)?.[1];
  return text === undefined ? undefined : Number(text);
}
