import type { JobEnvelope } from '@jetbeat/core';
import type { JobsAccepted } from '@jetbeat/core/http';
import type { NewJob } from '@jetbeat/postgres';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createTestServer, SECRET, type TestServer } from '../test-server.ts';

const TASK = { name: 'slow.check', queue: 'slow', seenAt: 0, inputSchema: { type: 'object' } };
const FLEET = { tasks: new Map([[TASK.name, TASK]]), served: new Map([[TASK.name, new Set(['slow'])]]) };
const jobs = (count: number, task: string) => Array.from({ length: count }, () => ({ task, input: {} }));

let checked: number;
let onCheck: () => void;
let inserted: NewJob[];
let server: TestServer;
beforeEach(async () => {
  checked = 0;
  inserted = [];
  const checkInput = () => {
    checked++;
    onCheck();
    return [];
  };
  const take = async ({ runAt }: JobEnvelope) => ({ runAt, stored: async () => {}, giveUp: async () => {} });
  server = await createTestServer({ checkInput, unique: { take } });
  server.use({ fleet: async () => FLEET, insertJob: async (job) => void inserted.push(job) });
});
afterEach(async () => {
  vi.useRealTimers();
  await server.app.close();
});

test('the inputs of one request are checked for 2 s together; those that come then are refused, not taken unchecked', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onCheck = () => vi.advanceTimersByTime(700);
  const all = [...jobs(5, TASK.name), ...jobs(2, 'of.nobody')];
  const { status, body } = await server.call<JobsAccepted>('POST /jobs/batch', { jobs: all });
  expect([status, checked, body.accepted, body.refused]).toEqual([202, 3, 5, 2]);
  expect(body.items.slice(3, 5)).toMatchObject(
    Array(2).fill({ error: { code: 'overloaded', status: 503, detail: expect.stringContaining('goes on') } }),
  );
  // Another request has its own.
  const next = await server.call<JobsAccepted>('POST /jobs/batch', { jobs: jobs(1, TASK.name) });
  expect([next.status, checked]).toEqual([202, 4]);
});

test('of a request whose client has gone nothing more is begun', async () => {
  const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  const going = new AbortController();
  let gone = () => {};
  const closed = new Promise<void>((resolve) => {
    gone = resolve;
  });
  server.app.server.on('request', (_request, response) => response.once('close', gone));
  onCheck = () => {
    going.abort();
  };
  // The first one is stored, with a turn for others, when the connection has gone.
  server.use({
    fleet: async () => FLEET,
    insertJob: async (job) => {
      inserted.push(job);
      await closed;
      return undefined;
    },
  });
  const keyed = jobs(40, TASK.name).map((job) => ({ ...job, uniqueKey: 'same' }));
  const asked = fetch(`${url}/api/v1/jobs/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer jb_admin_${SECRET}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jobs: keyed }),
    signal: going.signal,
  });
  await expect(asked).rejects.toThrow('abort');
  await closed;
  await server.app.close();
  expect([checked, inserted.length]).toEqual([1, 1]);
});
