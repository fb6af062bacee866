import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import { isPassing, isPassingStatus } from '../problems/is-passing.ts';
import { ApiError, problemBody } from '../problems/problem.ts';
import { traceIdOf } from '../watching/trace.ts';
import { keyOf, ownerOf } from './asked-id.ts';
import type { KeptAnswers, OwnRequest } from './kept-answers.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer holds what is told once, so that it is not kept: a repeat hears that it was given. */
    toldOnce?: boolean;
    /** A `POST` that changes nothing, or nothing with this body: there is nothing to do once, and nothing is kept. */
    changesNothing?: (request: FastifyRequest) => boolean;
  }
  interface FastifyRequest {
    /** SHA-256 of the body as it came; only of a request with a key. */
    bodyHash: string | null;
    /** Of a request with an `Idempotency-Key`, from before its handler until it is answered. */
    repeatable: Repeatable | null;
  }
}

/** A request with a key, that is being answered. */
interface Repeatable extends OwnRequest {
  /** False: the answer is one of the moment, so a repeat is carried out again. */
  keep: boolean;
  /** Its handler has begun, and not ended. */
  running: boolean;
  /** It was answered that its time is over while its handler goes on: until that has ended it is nobody else's. */
  late: boolean;
}

/** The largest answer that is kept, bytes. Of a larger one the repeat is carried out again. */
const MAX_BODY = 262_144;
const HEADERS = ['content-type', 'location', 'etag'] as const;

/**
 * Answers each POST with an `Idempotency-Key` once: a repeat gets the same answer again, and what comes while it is being answered is
 * refused. A process that dies in between leaves it to the repeat; the ids of all that a request makes come from its key, so that
 * nothing is made twice. Without the header nothing is done.
 */
export function answerOnce(app: FastifyInstance, answers: KeptAnswers): void {
  app.decorateRequest<Repeatable | null>('repeatable', null);

  /** False: it is answered already. */
  const begin = async (request: FastifyRequest, reply: FastifyReply): Promise<boolean> => {
    const key = keyOf(request) ?? '';
    const claimed = await answers.claim({
      caller: ownerOf(request.caller),
      key,
      asked: fingerprint(request),
    });
    if (!('is' in claimed)) {
      request.repeatable = { ...claimed, keep: true, running: false, late: false };
      return true;
    }
    if (claimed.is === 'busy') throw new ApiError('request_in_flight', IN_FLIGHT, { retryAfter: 1 });
    if (claimed.is === 'other') throw new ApiError('key_reused', REUSED);
    const { status, headers, body } = claimed.answer;
    void reply.status(status).headers(headers).header('idempotent-replayed', 'true');
    void (body === '' ? reply.send() : reply.send(body));
    return false;
  };
  const settle = async (request: FastifyRequest, reply: FastifyReply, own: Repeatable, payload: unknown) => {
    request.repeatable = null;
    const { statusCode: status } = reply;
    const body = payload === undefined || payload === null ? '' : payload;
    const keeps = own.keep && !isPassingStatus(status) && !reply.hasHeader('retry-after');
    if (!keeps || typeof body !== 'string' || Buffer.byteLength(body) > MAX_BODY)
      return answers.settle(own, undefined);
    const headers = Object.fromEntries(
      HEADERS.flatMap((name) => {
        const value = reply.getHeader(name);
        return typeof value === 'string' ? [[name, value]] : [];
      }),
    );
    if (request.routeOptions.config.toldOnce && status < 300)
      return answers.settle(own, told(request, headers));
    return answers.settle(own, { status, headers, body });
  };

  const watched = (handler: RouteHandlerMethod): RouteHandlerMethod =>
    function (request, reply) {
      const { repeatable: own } = request;
      if (own) own.running = true;
      const result: unknown = handler.call(this, request, reply);
      if (!own) return result;
      const end = () => {
        own.running = false;
        if (own.late) void answers.settle(own, undefined);
      };
      Promise.resolve(result).then(end, end);
      return result;
    };

  app.addHook('onRoute', (route) => {
    if (route.method !== 'POST') return;
    route.preHandler = [
      (request, reply, done) => {
        // Without a caller there is nobody whose key it is: signing in.
        if (keyOf(request) === undefined || !request.caller) return done();
        if (request.routeOptions.config.changesNothing?.(request)) return done();
        begin(request, reply).then((goOn) => {
          if (!goOn) return;
          if (!isLate(reply)) return done();
          // Its time was over before it had begun: nothing is done that nobody hears of.
          if (request.repeatable) void answers.settle(request.repeatable, undefined);
        }, done);
      },
      ...[route.preHandler ?? []].flat(),
    ];
    route.handler = watched(route.handler);
    route.onError = [
      ...[route.onError ?? []].flat(),
      ({ repeatable }, _reply, error, done) => {
        if (repeatable && error instanceof ApiError) {
          if (repeatable.running && error.code === 'timed_out') repeatable.late = true;
          if (isPassing(error)) repeatable.keep = false;
        }
        done();
      },
    ];
    route.onSend = [
      ...[route.onSend ?? []].flat(),
      (request, reply, payload, done) => {
        const { repeatable } = request;
        if (repeatable === null || repeatable.late) return done(null, payload);
        void settle(request, reply, repeatable, payload).then(() => {
          if (!isLate(reply)) done(null, payload);
        });
      },
    ];
  });
}

/** Whether another answer was given meanwhile, since the time of the request was over. */
function isLate({ raw }: FastifyReply): boolean {
  return raw.headersSent || raw.writableEnded;
}

const IN_FLIGHT =
  'a request with this key is being answered: ask again in a moment; if the process that did it has died, within a minute';
const REUSED =
  'this key came with another request (address, body and what you may do count, the body byte by byte): take a new key, one for each thing that you want done';

/** What of a request makes it another one: its `wait` does not, since nothing else is made by it. */
function fingerprint({ method, url, caller, bodyHash }: FastifyRequest): string {
  const [path = '', query = ''] = url.split('?');
  const options = query.split('&').filter((one) => one !== '' && !one.startsWith('wait='));
  const { role, queues, payloads } = caller;
  const text = JSON.stringify([method, path, options, role, queues ?? null, payloads, bodyHash ?? '']);
  return createHash('sha256').update(text).digest('hex');
}

/** Stands in place of an answer that is told once. */
function told(request: FastifyRequest, { location = '' }: Readonly<Record<string, string>>) {
  const detail = `this was done and answered${location && `, see ${location}`}; the answer is told once: undo what was made, and make another one with a new key`;
  const error = new ApiError('told_once', detail);
  const body = problemBody(error, { path: request.url.split('?')[0] ?? '', traceId: traceIdOf(request.id) });
  return {
    status: body.status,
    headers: { 'content-type': 'application/problem+json', ...(location && { location }) },
    body: JSON.stringify(body),
  };
}
