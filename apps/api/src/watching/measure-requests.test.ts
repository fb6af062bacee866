import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createMetrics, type Metrics } from '@jetbeat/runtime';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readMetrics } from '../../../../test/support/metrics.ts';
import { createCallers } from '../access/callers.ts';
import { HOME } from '../access/door.ts';
import { metricsRoute } from '../routes/metrics.ts';
import { measureRequests } from './measure-requests.ts';

const callers = createCallers({ findKey: async () => undefined, clock: Date.now });
let app: FastifyInstance;
let metrics: Metrics;
let release: () => void;
let held: Promise<void>;

beforeEach(async () => {
  metrics = createMetrics({ app: 'api' });
  app = Fastify();
  metrics.observe(measureRequests(app));
  metricsRoute(app, { metrics, door: HOME, callers, wasRight: () => {} });
  ({ promise: held, resolve: release } = Promise.withResolvers<void>());
  app.get('/things/:id', async () => 'x');
  app.get('/slow', async () => {
    await held;
    return 'x';
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  release();
  await app.close();
  metrics.stop();
});

const port = () => (app.server.address() as AddressInfo).port;
const url = (path: string) => `http://127.0.0.1:${port()}${path}`;
const page = async () => readMetrics(await (await fetch(url('/metrics'))).text());

test('requests are counted by the template of their route', async () => {
  for (const id of ['a', 'b', 'c']) await fetch(url(`/things/${id}`));
  for (const path of ['/a', '/b']) expect((await fetch(url(path))).status).toBe(404);
  const found = await page();
  const things = { route: '/things/:id', method: 'GET' };
  expect(found.sum('jetbeat_api_requests_total', { ...things, status: '2xx' })).toBe(3);
  expect(found.sum('jetbeat_api_request_seconds_count', things)).toBe(3);
  expect(found.sum('jetbeat_api_requests_total', { route: 'none', status: '4xx' })).toBe(2);
  expect(found.samples.some(({ labels }) => labels['route'] === '/a')).toBe(false);
});

test('a caller who goes away does not stay in flight', async () => {
  const socket = connect(port(), '127.0.0.1');
  socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n');
  await expect.poll(async () => (await page()).sum('jetbeat_api_requests_in_flight')).toBe(2);
  socket.destroy();
  await once(socket, 'close');
  await expect.poll(async () => (await page()).sum('jetbeat_api_requests_in_flight')).toBe(1);
  expect((await page()).sum('jetbeat_api_requests_total', { route: '/slow', status: 'gone' })).toBe(1);
});

test('HEAD has no body, other methods do not exist', async () => {
  const head = await fetch(url('/metrics'), { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  expect((await fetch(url('/metrics'), { method: 'POST' })).status).toBe(404);
});
