import type { WorkerAnswer, WorkerCommand, WorkerReport } from '@jetbeat/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace } from '../../../../test/support/nats.ts';
import { type Bus, inside } from './bus.ts';
import { connectBus } from './connect-bus.ts';
import { serveControl, tellWorker } from './control.ts';

const namespace = testNamespace();
let bus: Bus;
let other: Bus;

beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'test', namespace });
  other = await connectBus({ servers: natsUrl(), name: 'other', namespace });
});
afterAll(() => Promise.all([bus?.close(), other?.close()]));

const REPORT: WorkerReport = {
  worker: 'w-1',
  state: 'draining',
  queues: ['default'],
  concurrency: 2,
  held: 1,
  running: 1,
  givenBack: 0,
  changed: true,
  jobs: [],
};
const tell = (command: WorkerCommand, worker = 'w-1', timeoutMs = 5_000) =>
  tellWorker(bus, { worker, command, timeoutMs });

test('a worker is told, and what it answers is read; of those that are not there nobody waits for an answer', async () => {
  const told: WorkerCommand[] = [];
  const serving = serveControl(other, 'w-1', async (command): Promise<WorkerAnswer> => {
    told.push(command);
    return command.do === 'stop' ? { refused: 'not now' } : { report: REPORT };
  });
  await other.flush();
  expect(await tell({ do: 'drain' })).toEqual({ kind: 'answer', answer: { report: REPORT } });
  expect(await tell({ do: 'stop' })).toEqual({ kind: 'answer', answer: { refused: 'not now' } });
  // For longer than the test may take.
  expect(await tell({ do: 'drain' }, 'w-2', 60_000)).toEqual({ kind: 'nobody' });
  for (const id of ['', 'w.1', 'w *', '>', 'w'.repeat(201)])
    await expect(tell({ do: 'drain' }, id)).rejects.toMatchObject({ code: 'invalid_input' });
  expect(told).toEqual([{ do: 'drain' }, { do: 'stop' }]);
  await serving.close();
});

test('what is no command changes nothing, and what is no answer is none', async () => {
  let asked = 0;
  const serving = serveControl(other, 'w-3', async () => {
    asked += 1;
    throw new Error('it cannot');
  });
  await other.flush();
  expect(await tell({ do: 'concurrency', value: -1 }, 'w-3')).toMatchObject({
    answer: { refused: expect.stringContaining('version') },
  });
  expect(asked).toBe(0);
  expect(await tell({ do: 'drain' }, 'w-3', 200)).toEqual({ kind: 'silent' });
  await expect.poll(() => asked).toBe(1);
  await serving.close();
  const { nc } = inside(other);
  const subject = `${namespace}.control.worker.w-4`;
  const liar = nc.subscribe(subject, { callback: (_error, message) => void message.respond('{"report":3}') });
  await other.flush();
  expect(await tell({ do: 'drain' }, 'w-4')).toEqual({ kind: 'silent' });
  liar.unsubscribe();
});
