import cookie from '@fastify/cookie';
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
import { trustIn } from './edges/caller-address.ts';
import { boundConnections } from './edges/connections.ts';
import { addEdges } from './edges/edges.ts';
import { boundAnswers } from './edges/open-answers.ts';
import { boundBodies } from './edges/open-bodies.ts';
import { securityHeaders } from './edges/security-headers.ts';
import { watchRequests } from './edges/under-way.ts';
import type { Parts } from './parts.ts';
import { answerError, pathOf } from './problems/answer-error.ts';
import { answerClientError } from './problems/client-error.ts';
import { ApiError } from './problems/problem.ts';
import { routeNotFound } from './problems/route-not-found.ts';
import { BODY_LIMIT } from './requests/body-limit.ts';
import { parseBody } from './requests/parse-body.ts';
import { refuseUnbuilt } from './requests/refuse-unbuilt.ts';
import { sharedSerializers } from './requests/serializers.ts';
import { validatorCompiler } from './requests/validation.ts';
import { API_ROUTES } from './routes/all.ts';
import { healthRoutes } from './routes/health.ts';
import { metricsRoute } from './routes/metrics.ts';
import { oidcRoutes } from './routes/sign-in-oidc.ts';
import { signInPage } from './sign-in/page.ts';
import { measureRequests } from './watching/measure-requests.ts';
import { createRefusals } from './watching/refusals.ts';
import { traceIdOf, traceparentOf } from './watching/trace.ts';
import { traceRequests } from './watching/trace-requests.ts';

/**
 * How long a request may take to arrive, milliseconds. Node keeps the one for the whole request only where that for its
 * headers is not longer (it is 60 s by default), and looks every 30 s unless told otherwise.
 */
const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 15_000, connectionsCheckingInterval: 2_000 };

/** Makes the HTTP server, not yet listening. The id of a request is its `traceparent`. */
export async function createServer(parts: Parts): Promise<FastifyInstance> {
  const { log, tracing, door } = parts;
  const headers = securityHeaders(door);
  const refusals = createRefusals();
  const app: FastifyInstance = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (request) => traceparentOf(request.headers.traceparent),
    childLoggerFactory: (logger, bindings) => logger.child({ traceId: traceIdOf(String(bindings.reqId)) }),
    // No hook is run before these.
    frameworkErrors: (error, request, reply) => {
      if (!answers.take(request.raw, reply.raw)) return;
      headers(reply, request.url);
      answerError(error, request, reply, refusals.count);
    },
    clientErrorHandler: (error, socket) =>
      answerClientError(error, socket, { headers, count: refusals.count }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: TIMEOUTS.requestTimeout,
    ...(door.tls ? { https: { ...TIMEOUTS, ...door.tls } } : { http: TIMEOUTS }),
    // Nobody else says where a request came from.
    trustProxy: door.trustedProxies.length > 0 ? trustIn(door.trustedProxies) : false,
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
  // Before all else: what it refuses costs nothing.
  const answers = boundAnswers(app, { cut: refusals.dropped });
  await app.register(cookie);
  const underWay = watchRequests(app);
  parts.metrics.observe(measureRequests(app, underWay.end));
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('traceparent', request.id);
    headers(reply, request.url);
    done();
  });
  admitProxies(app, door);
  const connections = boundConnections(app, {
    most: parts.connections,
    dropped: () => refusals.dropped('connections_dropped'),
  });
  parts.metrics.observe(() => ({
    ...refusals.readings(),
    jetbeat_api_connections: connections.count,
    jetbeat_api_answers_waiting_bytes: answers.waitingBytes,
  }));
  const edges = addEdges(app, { ...parts, underWay, connections });
  const methodsOf = allowedMethods(app);
  // There is nobody who would read their bodies, and nobody has said who it is.
  app.addHook('preParsing', (request, reply, payload, done) =>
    request.is404 ? done(notThere(request, reply)) : done(null, payload),
  );
  const bodies = boundBodies(app);
  parts.metrics.observe(() => ({ jetbeat_api_bodies_bytes: bodies.heldBytes }));
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
    answerError(isOurs ? error : notThere(request, reply), request, reply, refusals.count);
    // Whoever was signed in guesses nothing.
    const isGuess = !(error instanceof ApiError && error.code === 'session_ended');
    if (reply.statusCode === 401 && isGuess) edges.failed(request);
  });
  const notThere = (request: FastifyRequest, reply: FastifyReply): ApiError => {
    const methods = methodsOf(pathOf(request));
    if (!methods || methods.includes(request.method))
      return routeNotFound(request.method, pathOf(request), methodsOf);
    void reply.header('allow', methods.join(', '));
    const message = `${pathOf(request)} has no method ${request.method}, only ${methods.join(', ')}`;
    return new ApiError('method_not_allowed', message);
  };
  app.setNotFoundHandler((request, reply) => {
    throw notThere(request, reply);
  });
  if (tracing) await traceRequests(app, tracing);
  await describeApi(app);
  await signInPage(app);
  healthRoutes(app, parts);
  metricsRoute(app, { ...parts, wasRight: edges.wasRight });
  const addRoutes: FastifyPluginCallback = (api, _options, done) => {
    needPolicy(api);
    authenticate(api, parts);
    edges.limitCallers(api);
    refuseUnbuilt(api);
    holdToQueues(api, parts);
    hideFromCallers(api);
    answerOnce(api, parts.answers);
    for (const route of API_ROUTES) route(api, parts);
    oidcRoutes(api, { ...parts, failed: edges.failed });
    done();
  };
  await app.register(addRoutes, { prefix: '/api/v1' });
  return app;
}
