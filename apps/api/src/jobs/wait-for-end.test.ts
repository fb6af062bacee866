import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type Bus, connectBus } from '@jetbeat/jetstream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { natsUrl, testNamespace } from '../../../../test/support/nats.ts';
import { createTestServer } from '../test-server.ts';
import { createWaitingRequests, type WaitingRequests } from './wait-for-end.ts';

const ID = '019a0000-0000-7000-8000-000000000000';
let bus: Bus;
let waiting: WaitingRequests;
beforeEach(async () => {
  bus = await connectBus({ servers: natsUrl(), namespace: testNamespace(), name: 'test' });
});
afterEach(async () => {
  waiting?.stop();
  await bus?.close();
});

function wait(holder: string, waitMs = 60_000) {
  const socket = Object.assign(new EventEmitter(), { destroyed: false });
  const request = { socket } as unknown as IncomingMessage;
  const waited = waiting.forEnd({ id: ID, holder, waitMs, request });
  return { waited, leave: () => void socket.emit('close') };
}

test('who waits for jobs that do not end takes its own share of the places, and no more', async () => {
  waiting = createWaitingRequests({
    messaging: () => ({ bus }),
    look: async () => undefined,
    most: 5,
    share: 2,
  });
  const first = [wait('key a'), wait('key a')];
  expect(await wait('key a').waited).toEqual({
    notWaited: '2 requests of this key, or of who is signed in, wait here already, which is their share',
  });
  const others = [wait('key b'), wait('key b'), wait('key c')];
  expect(await wait('key d').waited).toEqual({ notWaited: expect.stringContaining('5 requests wait here') });
  // Who goes leaves its place.
  first[0]?.leave();
  expect(await first[0]?.waited).toEqual({});
  expect(await wait('key a', 1).waited).toEqual({});
  expect(await wait('key d', 1).waited).toEqual({});
  waiting.stop();
  expect(await Promise.all([...first, ...others].map(({ waited }) => waited))).toEqual(Array(5).fill({}));
  expect(await wait('key a').waited).toEqual({ notWaited: 'this process stops' });
});

test('whoever could not wait is told so, with the job that was made', async () => {
  const notWaited = 'too many do';
  const server = await createTestServer({ waiting: { forEnd: async () => ({ notWaited }), stop() {} } });
  const body = { task: 'a', input: 1 };
  const { status, body: accepted } = await server.call<{ id: string; warnings: { code: string }[] }>(
    'POST /jobs?wait=10s',
    body,
  );
  expect([status, accepted.warnings.map(({ code }) => code)]).toEqual([202, ['no_worker', 'not_waited']]);
  const asked = await server.call<{ warnings: { code: string }[] }>('POST /jobs', body);
  expect(asked.body.warnings.map(({ code }) => code)).toEqual(['no_worker']);
  await server.app.close();
});
