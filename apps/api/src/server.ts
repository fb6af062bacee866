import Fastify, {
  type FastifyInstance,
  type FastifyPluginCallback,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { authenticate } from './authenticate.ts';
import { BODY_LIMIT } from './body-limit.ts';
import { answerClientError } from './client-error.ts';
import { measureRequests } from './measure-requests.ts';
import { describeApi } from './openapi.ts';
import { parseBody } from './parse-body.ts';
import type { Parts } from './parts.ts';
import { ApiError, problemBody } from './problem.ts';
import { refuseUnbuilt } from './refuse-unbuilt.ts';
import { backfillScheduleRoute } from './routes/backfill-schedule.ts';
import { cancelJobRoute } from './routes/cancel-job.ts';
import { createJobRoute } from './routes/create-job.ts';
import { createScheduleRoute } from './routes/create-schedule.ts';
import { createSchedulesRoute } from './routes/create-schedules.ts';
import { deleteScheduleRoute } from './routes/delete-schedule.ts';
import { deleteDeadLetterRoute, getDeadLetterRoute } from './routes/get-dead-letter.ts';
import { getForecastRoute } from './routes/get-forecast.ts';
import { getJobRoute } from './routes/get-job.ts';
import { getQueueRoute } from './routes/get-queue.ts';
import { getScheduleRoute } from './routes/get-schedule.ts';
import { getTaskRoute } from './routes/get-task.ts';
import { healthRoutes } from './routes/health.ts';
import { listDeadLettersRoute } from './routes/list-dead-letters.ts';
import { listJobsRoute } from './routes/list-jobs.ts';
import { listOccurrencesRoute } from './routes/list-occurrences.ts';
import { listQueuesRoute } from './routes/list-queues.ts';
import { listSchedulesRoute } from './routes/list-schedules.ts';
import { listTasksRoute } from './routes/list-tasks.ts';
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
import { triggerScheduleRoute } from './routes/trigger-schedule.ts';
import { sharedSerializers } from './serializers.ts';
import { toApiError } from './to-api-error.ts';
import { traceIdOf, traceparentOf } from './trace.ts';
import { traceRequests } from './trace-requests.ts';
import { validatorCompiler } from './validation.ts';

/**
 * How long a request may take to arrive, milliseconds. Node keeps the one for the whole request only where that for its
 * headers is not longer (it is 60 s by default), and looks every 30 s unless told otherwise.
 */
const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 15_000, connectionsCheckingInterval: 2_000 };

const ROUTES = [
  createJobRoute,
  listJobsRoute,
  getJobRoute,
  patchJobRoute,
  runJobNowRoute,
  cancelJobRoute,
  retryJobRoute,
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
];

/** Makes the HTTP server, not yet listening. The id of a request is its `traceparent`. */
export async function createServer(parts: Parts): Promise<FastifyInstance> {
  const { findKey, log, clock, tracing } = parts;
  const app: FastifyInstance = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (request) => traceparentOf(request.headers.traceparent),
    childLoggerFactory: (logger, bindings) => logger.child({ traceId: traceIdOf(String(bindings.reqId)) }),
    frameworkErrors: answerError,
    clientErrorHandler: answerClientError,
    bodyLimit: BODY_LIMIT,
    requestTimeout: TIMEOUTS.requestTimeout,
    http: TIMEOUTS,
    connectionTimeout: 60_000,
    keepAliveTimeout: 30_000,
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: false },
    schemaController: { compilersFactory: { buildSerializer: sharedSerializers() } },
    forceCloseConnections: true,
    return503OnClosing: true,
  }) as unknown as FastifyInstance;
  app.removeContentTypeParser('text/plain');
  parseBody(app);
  app.setValidatorCompiler(validatorCompiler);
  parts.metrics.observe(measureRequests(app));
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers({ traceparent: request.id, 'x-content-type-options': 'nosniff' });
  });
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
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request) => {
    throw new ApiError('route_not_found', `${request.method} ${pathOf(request)} does not exist: see /docs`);
  });
  if (tracing) await traceRequests(app, tracing);
  await describeApi(app);
  healthRoutes(app, parts);
  metricsRoute(app, parts);
  const addRoutes: FastifyPluginCallback = (api, _options, done) => {
    authenticate(api, { findKey, clock });
    refuseUnbuilt(api);
    for (const route of ROUTES) route(api, parts);
    done();
  };
  await app.register(addRoutes, { prefix: '/api/v1' });
  return app;
}

/** Answers an error, of ours or of the framework, as problem details. */
function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { destroyed, complete } = request.raw;
  const error =
    destroyed && !complete
      ? new ApiError('malformed_request', 'the connection ended before the request was whole')
      : toApiError(thrown);
  const body = problemBody(error, { path: pathOf(request), traceId: traceIdOf(request.id) });
  if (error.code === 'internal_error') request.log.error({ err: thrown }, 'a request failed');
  else
    request.log.info(
      { method: request.method, path: body.instance, code: error.code },
      'a request was refused',
    );
  if (error.retryAfter !== undefined) void reply.header('retry-after', error.retryAfter);
  if (error.code === 'unauthorized') void reply.header('www-authenticate', 'Bearer realm="jetbeat"');
  return reply.status(body.status).type('application/problem+json').send(JSON.stringify(body));
}

function pathOf(request: FastifyRequest): string {
  return (request.url.split('?')[0] ?? '').slice(0, 512);
}
