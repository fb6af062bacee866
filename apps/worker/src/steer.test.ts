import { connectBus, tellWorker } from '@jetbeat/jetstream';
import { createLog } from '@jetbeat/runtime';
import { expect, test } from 'vitest';
import { natsUrl, testNamespace } from '../../../test/support/nats.ts';
import type { ToldShape } from './keep-alive/keep-alive.ts';
import { Shape } from './shape.ts';
import { serveSteering } from './steer.ts';

const nothing = () => {};

test('where it cannot be stored that other queues are served, none are, and the worker does not say so', async () => {
  const bus = await connectBus({ servers: natsUrl(), name: 'steer-test', namespace: testNamespace() });
  const shape = new Shape({ concurrency: 1, queues: ['default'] });
  const said: ToldShape[] = [];
  const pulled: (readonly string[])[] = [];
  const steering = serveSteering({
    bus,
    worker: 'w1',
    shape,
    pulling: {
      pull: async (queues) => void pulled.push(queues),
      fetch: { fill: nothing } as never,
    },
    jobs: { size: 0, running: 0, all: () => [][Symbol.iterator]() },
    ready: { size: 0, next: nothing },
    gate: { look: () => 0 },
    limits: { look: nothing },
    measures: { serve: nothing },
    keepAlive: {
      reshape: async (told) => {
        said.push(told);
        return false;
      },
    },
    prepare: async () => {},
    onStop: nothing,
    log: createLog({ app: 'worker', level: 'fatal' }),
  });
  const command = { do: 'queues', add: ['media'], remove: [] } as const;
  expect(await tellWorker(bus, { worker: 'w1', command, timeoutMs: 5_000 })).toMatchObject({
    answer: { refused: expect.stringContaining('nothing was changed') },
  });
  expect([shape.queues, pulled]).toEqual([['default'], []]);
  expect(said.map(({ queues }) => queues)).toEqual([['default', 'media'], ['default']]);
  await steering.stop();
  await bus.close();
});
