import Fastify, {
  type FastifyInstance,
  type FastifyPluginCallback,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { authenticate } from './access/authenticate.ts';
import { admitProxies } from './access/door.ts';
import { hideFromCallers } from './access/hide-payloads.ts';
import { holdToQueues } from './access/hold-to-queues.ts';
import { needPolicy } from './access/route-policy.ts';
import { answerOnce } from './answers/answer-once.ts';
import { describeApi } from './description/openapi.ts';
import { allowedMethods } from './edges/allowed-methods.ts';
import { addEdges } from './edges/edges.ts';
import { securityHeaders } from './edges/security-headers.ts';
import { watchRequests } from './edges/under-way.ts';
import type { Parts } from './parts.ts';
import { answerError, pathOf } from './problems/answer-error.ts';
import { answerClientError } from './problems/client-error.ts';
import { ApiError } from './problems/problem.ts';
import { BODY_LIMIT } from './requests/body-limit.ts';
import { parseBody } from './requests/parse-body.ts';
import { refuseUnbuilt } from './requests/refuse-unbuilt.ts';
import { sharedSerializers } from './requests/serializers.ts';
import { validatorCompiler } from './requests/validation.ts';
import { apiKeyRoutes, createApiKeyRoute, listApiKeysRoute } from './routes/api-keys.ts';
import { backfillScheduleRoute } from './routes/backfill-schedule.ts';
import { cancelJobRoute } from './routes/cancel-job.ts';
import { countJobsRoute } from './routes/count-jobs.ts';
import { createBatchRoute } from './routes/create-batch.ts';
import { createJobRoute } from './routes/create-job.ts';
import { createJobsRoute } from './routes/create-jobs.ts';
import { createScheduleRoute } from './routes/create-schedule.ts';
import { createSchedulesRoute } from './routes/create-schedules.ts';
import { deleteScheduleRoute } from './routes/delete-schedule.ts';
import { eventsRoute } from './routes/events.ts';
import { abortBatchRoute, getBatchRoute, listBatchesRoute } from './routes/get-batch.ts';
import { deleteDeadLetterRoute, getDeadLetterRoute } from './routes/get-dead-letter.ts';
import { getForecastRoute } from './routes/get-forecast.ts';
import { getJobRoute } from './routes/get-job.ts';
import { getQueueRoute } from './routes/get-queue.ts';
import { getScheduleRoute } from './routes/get-schedule.ts';
import { getTaskRoute } from './routes/get-task.ts';
import { healthRoutes } from './routes/health.ts';
import { jobEventsRoute } from './routes/job-events.ts';
import { listAuditRoute } from './routes/list-audit.ts';
import { listDeadLettersRoute } from './routes/list-dead-letters.ts';
import { listJobsRoute } from './routes/list-jobs.ts';
import { listOccurrencesRoute } from './routes/list-occurrences.ts';
import { listQueuesRoute } from './routes/list-queues.ts';
import { listSchedulesRoute } from './routes/list-schedules.ts';
import { listTasksRoute } from './routes/list-tasks.ts';
import { getWorkerRoute, listWorkersRoute } from './routes/list-workers.ts';
import { metricsRoute } from './routes/metrics.ts';
import { patchJobRoute, runJobNowRoute } from './routes/move-job.ts';
import { nextTimesRoute } from './routes/next-times.ts';
import { patchScheduleRoute } from './routes/patch-schedule.ts';
import { patchTaskRoute } from './routes/patch-task.ts';
import { pauseQueueRoute, resumeQueueRoute } from './routes/pause-queue.ts';
import { pauseScheduleRoute } from './routes/pause-schedule.ts';
import { previewScheduleRoute } from './routes/preview-schedule.ts';
import { purgeQueueRoute } from './routes/purge-queue.ts';
import { putQueueRoute } from './routes/put-queue.ts';
import { putScheduleRoute } from './routes/put-schedule.ts';
import { replayAllRoute } from './routes/replay-all.ts';
import { replayDeadLetterRoute } from './routes/replay-dead-letter.ts';
import { resumeScheduleRoute } from './routes/resume-schedule.ts';
import { retryJobRoute } from './routes/retry-job.ts';
import { statsRoute } from './routes/stats.ts';
import {
  concurrencyRoute,
  drainWorkerRoute,
  resumeWorkerRoute,
  stopWorkerRoute,
  workerQueuesRoute,
} from './routes/steer-worker.ts';
import { triggerScheduleRoute } from './routes/trigger-schedule.ts';
import { measureRequests } from './watching/measure-requests.ts';
import { traceIdOf, traceparentOf } from './watching/trace.ts';
import { traceRequests } from './watching/trace-requests.ts';

/**
 * How long a request may take to arrive, milliseconds. Node keeps the one for the whole request only where that for its
 * headers is not longer (it is 60 s by default), and looks every 30 s unless told otherwise.
 */
const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 15_000, connectionsCheckingInterval: 2_000 };

const ROUTES = [
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

/** Makes the HTTP server, not yet listening. The id of a request is its `traceparent`. */
export async function createServer(parts: Parts): Promise<FastifyInstance> {
  const { log, tracing, door } = parts;
  const headers = securityHeaders(door);
  const app: FastifyInstance = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (request) => traceparentOf(request.headers.traceparent),
    childLoggerFactory: (logger, bindings) => logger.child({ traceId: traceIdOf(String(bindings.reqId)) }),
    // No hook is run before these.
    frameworkErrors: (error, request, reply) => {
      headers(reply, request.url);
      answerError(error, request, reply);
    },
    clientErrorHandler: answerClientError,
    bodyLimit: BODY_LIMIT,
    requestTimeout: TIMEOUTS.requestTimeout,
    ...(door.tls ? { https: { ...TIMEOUTS, ...door.tls } } : { http: TIMEOUTS }),
    // Nobody else says where a request came from.
    trustProxy: door.trustedProxies.length > 0 ? [...door.trustedProxies] : false,
    connectionTimeout: 60_000,
    keepAliveTimeout: 30_000,
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: false },
    schemaController: { compilersFactory: { buildSerializer: sharedSerializers() } },
    forceCloseConnections: false,
    return503OnClosing: false,
  }) as unknown as FastifyInstance;
  app.removeContentTypeParser('text/plain');
  parseBody(app);
  app.setValidatorCompiler(validatorCompiler);
  const underWay = watchRequests(app);
  parts.metrics.observe(measureRequests(app, underWay.end));
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('traceparent', request.id);
    done();
  });
  admitProxies(app, door);
  const edges = addEdges(app, { ...parts, headers, underWay });
  const methodsOf = allowedMethods(app);
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request;
    const line = {
      method,
      route: routeOptions.url ?? 'none',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    request.log.debug(line, 'answered');
  });
  app.setErrorHandler((error, request, reply) => {
    // What is wrong with a body says nothing where nobody would read it.
    const isOurs = error instanceof ApiError || !request.is404;
    answerError(isOurs ? error : notThere(request, reply), request, reply);
    if (reply.statusCode === 401) edges.failed(request);
  });
  const notThere = (request: FastifyRequest, reply: FastifyReply): ApiError => {
    const methods = methodsOf(pathOf(request));
    if (!methods || methods.includes(request.method))
      return new ApiError(
        'route_not_found',
        `${request.method} ${pathOf(request)} does not exist: see /docs`,
      );
    void reply.header('allow', methods.join(', '));
    const message = `${pathOf(request)} has no method ${request.method}, only ${methods.join(', ')}`;
    return new ApiError('method_not_allowed', message);
  };
  app.setNotFoundHandler((request, reply) => {
    throw notThere(request, reply);
  });
  if (tracing) await traceRequests(app, tracing);
  await describeApi(app);
  healthRoutes(app, parts);
  metricsRoute(app, parts);
  const addRoutes: FastifyPluginCallback = (api, _options, done) => {
    needPolicy(api);
    authenticate(api, parts);
    edges.limitCallers(api);
    refuseUnbuilt(api);
    holdToQueues(api, parts);
    hideFromCallers(api);
    answerOnce(api, parts.answers);
    for (const route of ROUTES) route(api, parts);
    done();
  };
  await app.register(addRoutes, { prefix: '/api/v1' });
  return app;
}
