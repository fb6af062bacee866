import type { AuditEntry, AuditNote, AuditOf, JobRecord } from '@jetbeat/postgres';
import { timeText } from '../jobs/job-json.ts';

/** What is kept of a change of a job that may have to be taken back: both are changes, and both are kept. */
export interface JobAudit {
  readonly done: AuditOf<JobRecord>;
  readonly undone: AuditEntry;
}

/** What is kept of the first cancel of a job: it is never taken back. */
export type CancelAudit = AuditOf<JobRecord>;

/** Of a cancel, with the state in which it met the job. */
export function auditCancel(note: AuditNote, id: string): CancelAudit {
  return (_before, job) => {
    const { state, cancelRequestedAt: at } = job ?? {};
    const cancelRequestedAt = at === undefined ? undefined : timeText(at);
    return { note, target: { kind: 'job', id }, action: 'job.cancel', after: { state, cancelRequestedAt } };
  };
}

/** Of another time or priority; taken back when the job turns out to have begun. */
export function auditMove(note: AuditNote, id: string, action: 'job.change' | 'job.run-now'): JobAudit {
  const target = { kind: 'job', id } as const;
  const show = (job: JobRecord | undefined) =>
    job && { state: job.state, runAt: timeText(job.runAt), priority: job.priority };
  return {
    done: (before, after) => ({ note, target, action, before: show(before), after: show(after) }),
    undone: { note, target, action: `${action}.undone`, after: { state: 'running' } },
  };
}
