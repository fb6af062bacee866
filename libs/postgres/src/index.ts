export { type Adopted, adoptApiKey } from './adopt-api-key.ts';
export {
  ANSWER_KEPT_MS,
  type AskedOnce,
  type Claimed,
  claimAnswer,
  dropAnswer,
  forgetAnswers,
  type KeptAnswer,
  keepAnswer,
} from './answers.ts';
export {
  type ApiKeyRecord,
  type ApiKeyRole,
  countApiKeys,
  createApiKey,
  findApiKey,
  hasLiveApiKey,
  listApiKeys,
  type NewApiKey,
  noteKeyUse,
  type Revoked,
  revokeApiKey,
} from './api-keys.ts';
export { type AskedResult, type AskedRuns, askRuns } from './ask-runs.ts';
export { askedBy, askingFor } from './asking-for.ts';
export {
  type AuditActor,
  type AuditEntry,
  type AuditFilter,
  type AuditNote,
  type AuditOf,
  type AuditRecord,
  countAudit,
  listAudit,
  noteAudit,
  retainAudit,
  writeAudit,
} from './audit.ts';
export {
  type BatchFilter,
  type BatchScope,
  countBatch,
  describeBatch,
  tellsPayloads,
} from './batch-filter.ts';
export { fittingOf } from './batch-fitting.ts';
export {
  type BatchOutcome,
  type BatchStep,
  jobsOf,
  settleBatchStep,
  takeBatchStep,
} from './batch-step.ts';
export {
  abortBatch,
  type BatchFailure,
  type BatchRecord,
  batchState,
  createBatch,
  getBatch,
  openBatches,
} from './batches.ts';
export { noteBeat, noteHeld } from './beats.ts';
export { type BuildMissingOptions, type BuiltMissing, buildMissing } from './build-missing.ts';
export { type CalledJob, calledBy } from './called.ts';
export { beginCancel, cancelJob, noteCancelling } from './cancel.ts';
export { cancelledRuns, openAmong } from './cancelled-runs.ts';
export { CENSUS_JOBS, type Census, takeCensus } from './census.ts';
export { countByState, countJobs } from './count-jobs.ts';
export { createSchedules, type NewSchedule } from './create-schedules.ts';
export type { Database } from './database.ts';
export { discardDead, isDiscarded } from './dead-letters.ts';
export type { DispatchDecision } from './decided.ts';
export { type Dispatched, dispatchPass } from './dispatch.ts';
export { type DoubtGrant, type DoubtParams, withDoubts } from './doubts.ts';
export type { DueOccurrence } from './due-occurrences.ts';
export { editSchedule } from './edit-schedule.ts';
export { endSessions } from './end-sessions.ts';
export { endedJobs } from './ended-jobs.ts';
export { type JobEndingRecord, jobEndings } from './endings.ts';
export {
  ConflictError,
  DatabaseUnavailableError,
  MigrationBlockedError,
  SearchRefusedError,
  TooManyEditsError,
  TooManyQueuesError,
  UnfitValueError,
} from './errors.ts';
export { expiredJobs, loseAttempts, stillExpired } from './expired.ts';
export { pauseAllFailing } from './failing-schedules.ts';
export type { Fire } from './fire.ts';
export {
  type Follow,
  type Followed,
  followPass,
  type NoticeCount,
  succeededJobs,
  type ToFollow,
  writeFollowed,
} from './follow.ts';
export type { JobFilter } from './job-filter.ts';
export { type JobMark, jobMarks } from './job-marks.ts';
export type { AttemptRecord, JobRecord, JobWithAttempts, ShownJob } from './job-record.ts';
export { getJob, insertJobs, notePublished } from './jobs.ts';
export { MAX_PASS_BYTES } from './light-schedules.ts';
export { type BatchesFilter, countBatches, listBatches } from './list-batches.ts';
export { getListedJob, type JobsPage, type ListJobsParams, listJobs, type Searched } from './list-jobs.ts';
export {
  type CountSchedulesParams,
  countSchedules,
  type FiringSchedule,
  firingSchedules,
  type ListSchedulesParams,
  listSchedules,
  type ScheduleScope,
  scheduleNames,
  schedulesByState,
  unplacedTasks,
} from './list-schedules.ts';
export { countSessions, listSessions } from './list-sessions.ts';
export type { CutField, ListedJob } from './listed-job.ts';
export type { ListedSchedule } from './listed-schedule.ts';
export { liveCallers } from './live-callers.ts';
export { type Look, look, wakeAt } from './look.ts';
export { noteStream, settledMarks } from './marks.ts';
export { type Materialized, materializePass, noteProblem } from './materialize.ts';
export { databaseTime, type MigrateOptions, migrate } from './migrate.ts';
export { undoMove, writeMove } from './move.ts';
export type { NewJob } from './new-job.ts';
export {
  countOccurrences,
  type ListOccurrencesParams,
  lastOccurrences,
  listOccurrences,
  type OccurrenceRecord,
} from './occurrences.ts';
export { type OpenDatabaseOptions, openDatabase } from './open.ts';
export { type OpenCancelPlace, openCancels } from './open-cancels.ts';
export { type ParkedJob, parkedForKeys, parkedForRate, parkedForRates, parkedToRelease } from './parked.ts';
export { ensurePartitions, type Partitions } from './partitions.ts';
export { type Plan, type PlannedOccurrence, type PlannedSchedule, planRows } from './plan-rows.ts';
export { countByQueue, type QueueCensus, type QueueCount } from './queue-census.ts';
export type { QueuePurge } from './queue-purge.ts';
export { addQueueRates, type QueueRate, queueRates } from './queue-rates.ts';
export { limitsOf, type QueueRecord, settingsOf } from './queue-record.ts';
export {
  allQueueSettings,
  changeQueue,
  deleteQueue,
  getQueue,
  listQueues,
  MAX_QUEUES,
  purgingQueues,
  type QueueChange,
  seedQueues,
} from './queues.ts';
export { type RebuiltJob, rebuildJob } from './rebuild.ts';
export {
  noteReconcile,
  type ReconcileCandidate,
  type ReconcileNote,
  reconcileCandidates,
} from './reconcile.ts';
export { type Recorded, type RecordParams, recordChanges } from './record.ts';
export { isRefusedByData } from './refused-by-data.ts';
export { retainOccurrences } from './retain-occurrences.ts';
export { retriesOf } from './retries.ts';

export type { ScheduleRecord } from './schedule-record.ts';
export {
  createSchedule,
  deleteSchedule,
  getSchedule,
  isPaused,
  pauseSchedule,
  resumeSchedule,
} from './schedules.ts';
export { sharedSecret } from './secrets.ts';
export {
  holderOfSession,
  type SessionFilter,
  type SessionHolder,
  seesSession,
} from './session-filter.ts';
export { createSessionLink, findSessionLink, type SessionLink } from './session-links.ts';
export {
  beginSession,
  endSession,
  findSession,
  forgetSessions,
  getSession,
  type NewSession,
  type NotBegun,
  noteSessionUse,
  type SessionBegin,
  type SessionEnd,
  type SessionOwner,
  type SessionRecord,
} from './sessions.ts';
export { type SaidLimits, type SplitLimits, splitLimits } from './split-limits.ts';
export {
  allTaskSettings,
  changeTaskLimits,
  getTaskLimits,
  listTaskLimits,
  type TaskLimitsChange,
  type TaskLimitsRecord,
  taskSettingsOf,
} from './task-limits.ts';
export { type KeyedState, keyedStates, type OpenKeyedJob, openKeyedJobs } from './unique-keys.ts';
export { forgetGivenUp, type UnmadeFollow, type UnmadeRecord, unmadeOf } from './unmade.ts';
export { hasJobs, timersOfQueue } from './waiting-in-queue.ts';
export {
  countWorkers,
  getWorker,
  listTasks,
  listWorkers,
  liveWorkers,
  type TaskRecord,
  tasksServed,
  type WorkerRecord,
  type WorkerState,
  type WorkersFilter,
  workerState,
} from './workers.ts';
export { noteZones } from './zone-data.ts';
