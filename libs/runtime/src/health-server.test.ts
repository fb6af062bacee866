import { expect, test } from 'vitest';
import { healthReport, healthReports } from './health.ts';
import { startHealthServer } from './health-server.ts';

test('livez and readyz answer with each check', async () => {
  let ok = true;
  const server = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    live: () => [{ name: 'process', ok: true }],
    ready: () => [{ name: 'database', ok, detail: 'x', lastProgressAt: 0 }],
    metrics: { page: async () => '' },
    freshMs: 0,
  });
  const url = `http://127.0.0.1:${server.port}`;
  const ready = await fetch(`${url}/readyz`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toEqual({
    ok: true,
    checks: [{ name: 'database', ok: true, detail: 'x', lastProgressAt: '1970-01-01T00:00:00.000Z' }],
  });
  ok = false;
  expect((await fetch(`${url}/readyz?full`)).status).toBe(503);
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  expect((await fetch(`${url}/other`)).status).toBe(404);
  expect((await fetch(`${url}/livez`, { method: 'POST' })).status).toBe(405);
  const metrics = { page: async () => '' };
  const taken = { host: '127.0.0.1', port: server.port, live: () => [], ready: () => [], metrics };
  await expect(startHealthServer(taken)).rejects.toThrow(
    `port ${server.port} of 127.0.0.1 is in use: end what listens there, or set JETBEAT_HEALTH_PORT to another one (0 takes a free one)`,
  );
  await server.stop();
  await server.stop();
  await expect(fetch(`${url}/livez`)).rejects.toThrow();
});

test('checks that throw or do not answer are not ok', async () => {
  const throwing = await healthReport(() => Promise.reject(new Error('away')));
  expect(throwing).toEqual({ ok: false, checks: [{ name: 'checks', ok: false, detail: 'away' }] });
  const silent = await healthReport(() => new Promise(() => {}), 10);
  expect(silent.checks).toEqual([{ name: 'checks', ok: false, detail: 'no answer within 10 ms' }]);
});

test('a thousand that ask at once are one look; the next one is made when that is not fresh any more', async () => {
  const answer = Promise.withResolvers<void>();
  let looks = 0;
  let now = 0;
  const report = healthReports(
    async () => {
      looks += 1;
      await answer.promise;
      return [{ name: 'database', ok: looks > 1 }];
    },
    { monotonic: () => now },
  );
  const asked = Array.from({ length: 1_000 }, () => report());
  now = 1_000;
  asked.push(report());
  answer.resolve();
  expect(new Set((await Promise.all(asked)).map(({ ok }) => ok))).toEqual(new Set([false]));
  now = 1_249;
  expect([(await report()).ok, looks]).toEqual([false, 1]);
  now = 1_250;
  expect([(await report()).ok, looks]).toEqual([true, 2]);
});

test('many that ask the port of an app at once are one look', async () => {
  let looks = 0;
  const many = 20;
  const begun = Promise.withResolvers<void>();
  const ready = async () => {
    looks += 1;
    await begun.promise;
    return [];
  };
  const server = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    live: () => [],
    ready,
    freshMs: 60_000,
    metrics: { page: async () => '' },
  });
  const asked = Array.from({ length: many }, () => fetch(`http://127.0.0.1:${server.port}/readyz`));
  begun.resolve();
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array(many).fill(200));
  expect(looks).toBe(1);
  await server.stop();
});

test('metrics are served beside it: GET and HEAD, and 500 when the page cannot be made', async () => {
  let page = async () => 'a 1\n';
  const server = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    live: () => [],
    ready: () => [],
    metrics: { page: () => page() },
  });
  const url = `http://127.0.0.1:${server.port}/metrics`;
  const got = await fetch(`${url}?x=1`);
  expect([got.status, await got.text()]).toEqual([200, 'a 1\n']);
  expect(got.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const head = await fetch(url, { method: 'HEAD' });
  expect([head.status, await head.text(), head.headers.get('content-length')]).toEqual([200, '', '4']);
  expect((await fetch(url, { method: 'PUT' })).status).toBe(405);
  page = () => Promise.reject(new Error('no memory'));
  const failed = await fetch(url);
  expect([failed.status, await failed.text()]).toEqual([500, 'the page cannot be made: no memory\n']);
  await server.stop();
});
