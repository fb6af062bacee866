export { type Adopted, adoptApiKey } from './access/adopt-api-key.ts';
export {
  ANSWER_KEPT_MS,
  type AskedOnce,
  type Claimed,
  claimAnswer,
  dropAnswer,
  forgetAnswers,
  type KeptAnswer,
  keepAnswer,
} from './access/answers.ts';
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
} from './access/api-keys.ts';
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
} from './access/audit.ts';
export { endSessions } from './access/end-sessions.ts';
export { countSessions, listSessions } from './access/list-sessions.ts';
export { liveCallers } from './access/live-callers.ts';
export { sharedSecret } from './access/secrets.ts';
export {
  holderOfSession,
  type SessionFilter,
  type SessionHolder,
  seesSession,
} from './access/session-filter.ts';
export { createSessionLink, findSessionLink, type SessionLink } from './access/session-links.ts';
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
} from './access/sessions.ts';
export {
  type BatchFilter,
  type BatchScope,
  countBatch,
  describeBatch,
  tellsPayloads,
} from './batches/batch-filter.ts';
export { fittingOf } from './batches/batch-fitting.ts';
export {
  type BatchOutcome,
  type BatchStep,
  jobsOf,
  settleBatchStep,
  takeBatchStep,
} from './batches/batch-step.ts';
export {
  abortBatch,
  type BatchFailure,
  type BatchRecord,
  batchState,
  createBatch,
  getBatch,
  openBatches,
} from './batches/batches.ts';
export { type BatchesFilter, countBatches, listBatches } from './batches/list-batches.ts';
export type { Database } from './database/database.ts';
export {
  ConflictError,
  DatabaseUnavailableError,
  MigrationBlockedError,
  SearchRefusedError,
  TooManyEditsError,
  TooManyQueuesError,
  UnfitValueError,
} from './database/errors.ts';
export { type OpenDatabaseOptions, openDatabase } from './database/open.ts';
export { isRefusedByData } from './database/refused-by-data.ts';
export { noteBeat, noteHeld } from './fleet/beats.ts';
export { CENSUS_JOBS, type Census, takeCensus } from './fleet/census.ts';
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
} from './fleet/workers.ts';
export { type DoubtGrant, type DoubtParams, withDoubts } from './history/doubts.ts';
export {
  type Follow,
  type Followed,
  followPass,
  type NoticeCount,
  succeededJobs,
  type ToFollow,
  writeFollowed,
} from './history/follow.ts';
export { noteStream, settledMarks } from './history/marks.ts';
export {
  noteReconcile,
  type ReconcileCandidate,
  type ReconcileNote,
  reconcileCandidates,
} from './history/reconcile.ts';
export { type Recorded, type RecordParams, recordChanges } from './history/record.ts';
export { forgetGivenUp, type UnmadeFollow, type UnmadeRecord, unmadeOf } from './history/unmade.ts';
export { askedBy, askingFor } from './jobs/asking-for.ts';
export { type CalledJob, calledBy } from './jobs/called.ts';
export { beginCancel, cancelJob, noteCancelling } from './jobs/cancel.ts';
export { countByState, countJobs } from './jobs/count-jobs.ts';
export { discardDead, isDiscarded } from './jobs/dead-letters.ts';
export { endedJobs } from './jobs/ended-jobs.ts';
export { type JobEndingRecord, jobEndings } from './jobs/endings.ts';
export { expiredJobs, stillExpired } from './jobs/expired.ts';
export type { JobFilter } from './jobs/job-filter.ts';
export { type JobMark, jobMarks } from './jobs/job-marks.ts';
export type { AttemptRecord, JobRecord, JobWithAttempts, ShownJob } from './jobs/job-record.ts';
export { getJob, insertJobs, notePublished } from './jobs/jobs.ts';
export {
  getListedJob,
  type JobsPage,
  type ListJobsParams,
  listJobs,
  type Searched,
} from './jobs/list-jobs.ts';
export type { CutField, ListedJob } from './jobs/listed-job.ts';
export { undoMove, writeMove } from './jobs/move.ts';
export type { NewJob } from './jobs/new-job.ts';
export { type OpenCancelPlace, openCancels } from './jobs/open-cancels.ts';
export { type RebuiltJob, rebuildJob } from './jobs/rebuild.ts';
export { retriesOf } from './jobs/retries.ts';
export { type KeyedState, keyedStates, type OpenKeyedJob, openKeyedJobs } from './jobs/unique-keys.ts';
export { type BuildMissingOptions, type BuiltMissing, buildMissing } from './migrating/build-missing.ts';
export { databaseTime, type MigrateOptions, migrate } from './migrating/migrate.ts';
export { ensurePartitions, type Partitions } from './migrating/partitions.ts';
export {
  type ParkedJob,
  parkedForKeys,
  parkedForRate,
  parkedForRates,
  parkedToRelease,
} from './queues/parked.ts';
export { countByQueue, type QueueCensus, type QueueCount } from './queues/queue-census.ts';
export type { QueuePurge } from './queues/queue-purge.ts';
export { addQueueRates, type QueueRate, queueRates } from './queues/queue-rates.ts';
export { limitsOf, type QueueRecord, settingsOf } from './queues/queue-record.ts';
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
} from './queues/queues.ts';
export { type SaidLimits, type SplitLimits, splitLimits } from './queues/split-limits.ts';
export {
  allTaskSettings,
  changeTaskLimits,
  getTaskLimits,
  listTaskLimits,
  type TaskLimitsChange,
  type TaskLimitsRecord,
  taskSettingsOf,
} from './queues/task-limits.ts';
export { hasJobs, timersOfQueue } from './queues/waiting-in-queue.ts';
export { type AskedResult, type AskedRuns, askRuns } from './schedules/ask-runs.ts';
export { cancelledRuns, openAmong } from './schedules/cancelled-runs.ts';
export { createSchedules, type NewSchedule } from './schedules/create-schedules.ts';
export type { DispatchDecision } from './schedules/decided.ts';
export { type Dispatched, dispatchPass } from './schedules/dispatch.ts';
export type { DueOccurrence } from './schedules/due-occurrences.ts';
export { editSchedule } from './schedules/edit-schedule.ts';
export { pauseAllFailing } from './schedules/failing-schedules.ts';
export type { Fire } from './schedules/fire.ts';
export { MAX_PASS_BYTES } from './schedules/light-schedules.ts';
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
} from './schedules/list-schedules.ts';
export type { ListedSchedule } from './schedules/listed-schedule.ts';
export { type Look, look, wakeAt } from './schedules/look.ts';
export { type Materialized, materializePass, noteProblem } from './schedules/materialize.ts';
export {
  countOccurrences,
  type ListOccurrencesParams,
  lastOccurrences,
  listOccurrences,
  type OccurrenceRecord,
} from './schedules/occurrences.ts';
export { type Plan, type PlannedOccurrence, type PlannedSchedule, planRows } from './schedules/plan-rows.ts';
export { retainOccurrences } from './schedules/retain-occurrences.ts';
export type { ScheduleRecord } from './schedules/schedule-record.ts';
export {
  createSchedule,
  deleteSchedule,
  getSchedule,
  isPaused,
  pauseSchedule,
  resumeSchedule,
} from './schedules/schedules.ts';
export { noteZones } from './schedules/zone-data.ts';
