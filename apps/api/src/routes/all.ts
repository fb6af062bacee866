import { apiKeyRoutes, createApiKeyRoute, listApiKeysRoute } from './api-keys.ts';
import { backfillScheduleRoute } from './backfill-schedule.ts';
import { cancelJobRoute } from './cancel-job.ts';
import { countJobsRoute } from './count-jobs.ts';
import { createBatchRoute } from './create-batch.ts';
import { createJobRoute } from './create-job.ts';
import { createJobsRoute } from './create-jobs.ts';
import { createScheduleRoute } from './create-schedule.ts';
import { createSchedulesRoute } from './create-schedules.ts';
import { deleteQueueRoute } from './delete-queue.ts';
import { deleteScheduleRoute } from './delete-schedule.ts';
import { endSessionsRoute } from './end-sessions.ts';
import { eventsRoute } from './events.ts';
import { abortBatchRoute, getBatchRoute, listBatchesRoute } from './get-batch.ts';
import { deleteDeadLetterRoute, getDeadLetterRoute } from './get-dead-letter.ts';
import { getForecastRoute } from './get-forecast.ts';
import { getJobRoute } from './get-job.ts';
import { getQueueRoute } from './get-queue.ts';
import { getScheduleRoute } from './get-schedule.ts';
import { getTaskRoute } from './get-task.ts';
import { jobEventsRoute } from './job-events.ts';
import { listAuditRoute } from './list-audit.ts';
import { listDeadLettersRoute } from './list-dead-letters.ts';
import { listJobsRoute } from './list-jobs.ts';
import { listOccurrencesRoute } from './list-occurrences.ts';
import { listQueuesRoute } from './list-queues.ts';
import { listSchedulesRoute } from './list-schedules.ts';
import { listTasksRoute } from './list-tasks.ts';
import { getWorkerRoute, listWorkersRoute } from './list-workers.ts';
import { patchJobRoute, runJobNowRoute } from './move-job.ts';
import { nextTimesRoute } from './next-times.ts';
import { patchScheduleRoute } from './patch-schedule.ts';
import { patchTaskRoute } from './patch-task.ts';
import { pauseQueueRoute, resumeQueueRoute } from './pause-queue.ts';
import { pauseScheduleRoute } from './pause-schedule.ts';
import { previewScheduleRoute } from './preview-schedule.ts';
import { purgeQueueRoute } from './purge-queue.ts';
import { putQueueRoute } from './put-queue.ts';
import { putScheduleRoute } from './put-schedule.ts';
import { replayAllRoute } from './replay-all.ts';
import { replayDeadLetterRoute } from './replay-dead-letter.ts';
import { resumeScheduleRoute } from './resume-schedule.ts';
import { retryJobRoute } from './retry-job.ts';
import { getCallerRoute, signInRoute, signInWaysRoute, signOutRoute } from './session.ts';
import { sessionLinkRoute } from './session-links.ts';
import { listSessionsRoute, revokeSessionRoute } from './sessions.ts';
import { signOutOidcRoute } from './sign-out-oidc.ts';
import { statsRoute } from './stats.ts';
import {
  concurrencyRoute,
  drainWorkerRoute,
  resumeWorkerRoute,
  stopWorkerRoute,
  workerQueuesRoute,
} from './steer-worker.ts';
import { triggerScheduleRoute } from './trigger-schedule.ts';

/** Every route below `/api/v1` that needs nothing but the parts, in the order of the description. */
export const API_ROUTES = [
  createJobRoute,
  statsRoute,
  createJobsRoute,
  listJobsRoute,
  countJobsRoute,
  getJobRoute,
  patchJobRoute,
  runJobNowRoute,
  cancelJobRoute,
  retryJobRoute,
  jobEventsRoute,
  createScheduleRoute,
  createSchedulesRoute,
  listSchedulesRoute,
  getScheduleRoute,
  putScheduleRoute,
  patchScheduleRoute,
  deleteScheduleRoute,
  pauseScheduleRoute,
  resumeScheduleRoute,
  triggerScheduleRoute,
  backfillScheduleRoute,
  listOccurrencesRoute,
  getForecastRoute,
  nextTimesRoute,
  previewScheduleRoute,
  listQueuesRoute,
  getQueueRoute,
  listTasksRoute,
  getTaskRoute,
  patchTaskRoute,
  putQueueRoute,
  deleteQueueRoute,
  pauseQueueRoute,
  resumeQueueRoute,
  purgeQueueRoute,
  listDeadLettersRoute,
  getDeadLetterRoute,
  deleteDeadLetterRoute,
  replayDeadLetterRoute,
  replayAllRoute,
  createApiKeyRoute,
  listApiKeysRoute,
  apiKeyRoutes,
  signInRoute,
  signInWaysRoute,
  getCallerRoute,
  signOutRoute,
  signOutOidcRoute,
  sessionLinkRoute,
  listSessionsRoute,
  revokeSessionRoute,
  endSessionsRoute,
  eventsRoute,
  listAuditRoute,
  createBatchRoute,
  listBatchesRoute,
  getBatchRoute,
  abortBatchRoute,
  listWorkersRoute,
  getWorkerRoute,
  drainWorkerRoute,
  resumeWorkerRoute,
  stopWorkerRoute,
  concurrencyRoute,
  workerQueuesRoute,
];
