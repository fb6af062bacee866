import type { JobPage, Queue, Stats } from '@jetbeat/core/http';
import type { WaitingCount } from '@jetbeat/jetstream';
import { type Database, openDatabase } from '@jetbeat/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { createCounting } from '../requests/counting.ts';
import { createTestServer, NOW, type TestServer } from '../test-server.ts';
import type { QueuePicture } from './queue-picture.ts';
import type { QueuePorts } from './queue-ports.ts';

const SLIP: readonly WaitingCount[] = [{ queue: 'slip', priority: 'low', jobs: 4 }];
const LATER = { queue: 'later', state: 'scheduled' as const, jobs: 1 };
let made: TestDatabase;
let db: Database;
let server: TestServer;
let isCounted = true;
const asked: string[] = [];
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'find-queue-test' });
  const queues: Partial<QueuePorts> = {
    picture: async (): Promise<QueuePicture> => ({
      lanes: new Map(),
      unserved: isCounted ? new Map([['slip', SLIP]]) : undefined,
      rates: new Map(),
      slots: new Map(),
      workers: new Map([['slip', ['w1']]]),
      counts: new Map([['later', [LATER]]]),
      capped: [],
    }),
    async countWaiting(queue) {
      asked.push(queue);
      return SLIP;
    },
  };
  server = await createTestServer({
    db,
    counting: createCounting(db, () => NOW),
    queues: queues as QueuePorts,
  });
});
afterAll(async () => {
  await server?.app.close();
  await db?.close();
  await made?.drop();
});

const list = async () => {
  const { body } = await server.call<{ items: Queue[] }>('GET /queues');
  return body.items.map(({ name, waiting }) => [name, waiting?.low]);
};
const stats = async () => (await server.call<Stats>('GET /api/v1/stats')).body.queues;

test('jobs of a queue that nobody has made are in the list, in its own answer and in the figures', async () => {
  isCounted = true;
  expect(await list()).toEqual([
    ['later', 0],
    ['slip', 4],
  ]);
  expect((await server.call<Queue>('GET /queues/slip')).body.waiting).toMatchObject({ low: 4 });
  expect(asked).toEqual([]);
  const slip = await server.call<JobPage>('GET /jobs?queue=latr');
  expect(slip.body.warnings).toMatchObject([{ code: 'unknown_queue', suggestion: 'later' }]);
  const figures = await stats();
  expect(figures).toMatchObject({ count: 2, waiting: 4, held: 0 });
  expect(figures).not.toHaveProperty('waitingAtLeast');
});

test('where too many wait so to be counted, one queue is counted alone, and the rest do not say that none wait', async () => {
  isCounted = false;
  expect((await server.call<Queue>('GET /queues/slip')).body.waiting).toMatchObject({ low: 4 });
  expect(asked).toEqual(['slip']);
  expect(await list()).toEqual([
    ['later', undefined],
    ['slip', undefined],
  ]);
  expect(await stats()).toMatchObject({ waiting: 0, waitingAtLeast: true });
});
