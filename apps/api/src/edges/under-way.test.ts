import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { toApiError } from '../problems/to-api-error.ts';
import { TIME_LIMIT_MS, watchRequests } from './under-way.ts';

let app: FastifyInstance;
beforeEach(() => {
  app = Fastify();
  const underWay = watchRequests(app, { limitMs: 50 });
  app.addHook('onRequest', (request, reply, done) => {
    underWay.begin(request, reply);
    reply.raw.once('close', () => underWay.end(reply));
    done();
  });
  app.setErrorHandler((error, _request, reply) => {
    const { code, message, retryAfter = 0 } = toApiError(error);
    return reply.status(503).header('retry-after', retryAfter).send({ code, message });
  });
  const never = () => new Promise<never>(() => {});
  app.get('/slow', never);
  app.post('/slow', never);
  app.get('/waits', { config: { waits: () => 200 } }, never);
  app.get('/begun', (_request, reply) => {
    reply.hijack();
    reply.raw.write('one,');
    setTimeout(() => reply.raw.end('two'), 300);
  });
});
afterEach(() => app.close());

test('whatever takes longer than the limit is answered 503, and when to come again', async () => {
  const answer = await app.inject('/slow');
  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '2']);
  expect(answer.json()).toEqual({
    code: 'timed_out',
    message: 'not done within 0.05 s: repeat it, or ask for less',
  });
});

test('what may have been done all the same says so', async () => {
  const answer = await app.inject({ method: 'POST', url: '/slow' });
  expect(answer.json<{ message: string }>().message).toContain('look before you repeat it');
});

test('what a request asks to wait comes on top, and an answer that has begun goes on', async () => {
  const begun = performance.now();
  expect((await app.inject('/waits')).json()).toMatchObject({
    message: expect.stringContaining('not done within 0.25 s'),
  });
  // A timer of whole milliseconds may be a fraction of one early; without what comes on top it were 50 ms.
  expect(performance.now() - begun).toBeGreaterThan(240);
  expect((await app.inject('/begun')).body).toBe('one,two');
});

test('nothing takes more than 5 s', () => {
  expect(TIME_LIMIT_MS).toBe(5_000);
});
