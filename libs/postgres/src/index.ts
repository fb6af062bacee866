export { type ApiKeyRecord, type ApiKeyRole, findApiKey, insertApiKey } from './api-keys.ts';
export { beginCancel, cancelJob, withdrawCancel } from './cancel.ts';
export { CENSUS_JOBS, type Census, takeCensus } from './census.ts';
export type { Database } from './database.ts';
export { type DispatchDecision, type Dispatched, type DueOccurrence, dispatchPass } from './dispatch.ts';
export { type DoubtGrant, type DoubtParams, withDoubts } from './doubts.ts';
export { endedJobs } from './ended-jobs.ts';
export { ConflictError, DatabaseUnavailableError, UnfitValueError } from './errors.ts';
export type { AttemptRecord, JobRecord, JobWithAttempts } from './job-record.ts';
export { getJob, insertJobs, notePublished } from './jobs.ts';
export { type ListJobsParams, listJobs } from './list-jobs.ts';
export type { CutField, ListedJob } from './listed-job.ts';
export { noteStream, settledMarks } from './marks.ts';
export { materializePass, nextWakeAt, type Plan, type PlannedOccurrence } from './materialize.ts';
export { databaseTime, migrate } from './migrate.ts';
export type { NewJob } from './new-job.ts';
export { lastOccurrences, listOccurrences, type OccurrenceRecord } from './occurrences.ts';
export { type OpenDatabaseOptions, openDatabase } from './open.ts';
export { type ParkedJob, parkedToRelease } from './parked.ts';
export { ensurePartitions, type Partitions } from './partitions.ts';
export { type RebuiltJob, rebuildJob } from './rebuild.ts';
export {
  noteReconcile,
  type ReconcileCandidate,
  type ReconcileNote,
  reconcileCandidates,
} from './reconcile.ts';
export { type Recorded, type RecordParams, recordChanges } from './record.ts';
export { type Resumption, resumeSchedule } from './resume-schedule.ts';
export type { ScheduleRecord } from './schedule-record.ts';
export {
  createSchedule,
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
} from './schedules.ts';
export { listTasks, liveWorkers, type TaskRecord, tasksServed, type WorkerRecord } from './workers.ts';
