/** Everything of which the audit log tells. */
export const AUDIT_ACTIONS = [
  'schedule.create',
  'schedule.change',
  'schedule.delete',
  'schedule.pause',
  'schedule.resume',
  'schedule.trigger',
  'schedule.backfill',
  'queue.change',
  'queue.pause',
  'queue.resume',
  'queue.purge',
  'queue.delete',
  'queue.configure',
  'task.change',
  'job.cancel',
  'job.change',
  'job.change.undone',
  'job.run-now',
  'job.run-now.undone',
  'job.retry',
  'dead-letter.replay',
  'dead-letter.discard',
  'batch.create',
  'batch.abort',
  'batch.end',
  'key.create',
  'key.revoke',
  'session.begin',
  'session.end',
  'session.revoke',
  'worker.drain',
  'worker.resume',
  'worker.stop',
  'worker.concurrency',
  'worker.queues',
  'worker.changed',
] as const;
/** Something of which the audit log tells. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** With what it is done. */
export const AUDIT_TARGETS = [
  'schedule',
  'queue',
  'task',
  'job',
  'dead-letter',
  'batch',
  'api-key',
  'session',
  'worker',
] as const;
/** With what it is done. */
export type AuditTarget = (typeof AUDIT_TARGETS)[number];
