import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, onTestFinished, test } from 'vitest';
import { startOwnNats, testTopology } from '../../../../test/support/nats.ts';
import type { Bus } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { toPublish } from '../testing.ts';
import { loadSettled, lowerSettled, putSettled } from './settled-marks.ts';
import { storedBefore } from './stored-before.ts';
import { ensureTopology } from './topology.ts';

const topology = { ...testTopology, queues: ['default'] };

async function bench() {
  const nats = await startOwnNats();
  onTestFinished(() => nats.stop());
  const open = async () => {
    const bus = await connectBus({ servers: nats.url, name: 'test' });
    onTestFinished(() => bus.close());
    return bus;
  };
  return { nats, open };
}

const three = () => Array.from({ length: 3 }, () => toPublish());

test('what a server that was killed had stored is told from what its successor stores, whoever asks', async () => {
  const { nats, open } = await bench();
  const bus = await open();
  await ensureTopology(bus, topology);
  await publishJobs(bus, three());
  expect(await storedBefore(await open())).toMatchObject({ upTo: 0 });

  const back = new Promise((resolve) => void bus.onReconnect(resolve));
  await nats.kill();
  await nats.start();
  await back;
  // Many see the new one at once, and agree.
  const buses = await Promise.all(Array.from({ length: 4 }, open));
  const upTo = async (one: Bus) => (await storedBefore(one)).upTo;
  expect(await Promise.all(buses.map(upTo))).toEqual([3, 3, 3, 3]);
  await publishJobs(bus, three());
  expect(await upTo(bus)).toBe(3);
  // How long ago it came back is told by the server's clock, whoever was there.
  const early = await storedBefore(bus);
  const late = await storedBefore(await open());
  expect(late.upTo).toBe(3);
  expect(late.forMs).toBeGreaterThanOrEqual(early.forMs);
  expect(late.forMs).toBeLessThan(60_000);
});

test('a stream that was made anew has nothing from before; the note is no mark of a queue', async () => {
  const { nats, open } = await bench();
  const bus = await open();
  await ensureTopology(bus, topology);
  await publishJobs(bus, three());
  await putSettled(bus, 'default', 3);
  const raw = await connect({ servers: nats.url });
  onTestFinished(() => raw.close());
  await (await jetstreamManager(raw)).streams.delete('JOBS');
  await ensureTopology(bus, topology);
  await lowerSettled(bus, 0);
  expect(await storedBefore(bus)).toMatchObject({ upTo: 0 });
  expect(await loadSettled(bus, ['default'])).toEqual(new Map());
  await publishJobs(bus, three());
  expect(await storedBefore(await open())).toMatchObject({ upTo: 0 });
});
