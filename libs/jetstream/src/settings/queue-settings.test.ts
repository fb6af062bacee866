import type { QueueSettings } from '@jetbeat/core';
import { Kvm } from '@nats-io/kv';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, startOwnNats, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import { waitUntil } from '../../../../test/support/wait-until.ts';
import { type Bus, inside } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { ensureTopology } from '../streams/topology.ts';
import { mendQueueSettings, putQueueSettings } from './queue-settings.ts';
import { watchQueueSettings } from './watch-queue-settings.ts';

const namespace = testNamespace();
let bus: Bus;
beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'queue-settings', namespace });
});
afterAll(() => bus?.close());

function watch(of: Bus) {
  const heard: [string, number | undefined][] = [];
  const watching = watchQueueSettings(of);
  watching.onChange((queue, settings) => heard.push([queue, settings?.version]));
  return { heard, watching };
}

const paused = (until?: number) => ({ by: 'ops', since: 1, ...(until === undefined ? {} : { until }) });
const truth = (entries: [string, QueueSettings][]) => async () => new Map(entries);

test('settings are there before there is a bucket, then each change is heard, and an older one changes nothing', async () => {
  const first = watch(bus);
  await first.watching.load();
  expect(first.watching.of('mail')).toBeUndefined();
  await ensureTopology(bus, { queues: [], ...testTopology });
  await putQueueSettings(bus, 'mail', { version: 2, concurrency: 5 });
  await waitUntil('the first is heard', () => first.heard.length === 1);
  await putQueueSettings(bus, 'mail', { version: 1, concurrency: 9 });
  await putQueueSettings(bus, 'mail', { version: 2, concurrency: 5 });
  await putQueueSettings(bus, 'mail', { version: 3, paused: paused() });
  await waitUntil('the third is heard', () => first.watching.isPaused('mail'));
  expect(first.heard).toEqual([
    ['mail', 2],
    ['mail', 3],
  ]);
  const second = watch(bus);
  await second.watching.load();
  expect(second.watching.of('mail')).toEqual({ version: 3, paused: paused() });
  first.watching.close();
  second.watching.close();
  second.watching.close();
});

test('the end of a pause is told by itself', async () => {
  const { heard, watching } = watch(bus);
  await watching.load();
  // Long enough for the pause to be heard before it is over.
  const until = Date.now() + 1_000;
  await putQueueSettings(bus, 'soon', { version: 1, paused: paused(until) });
  await waitUntil(
    'the pause and its end are heard',
    () => heard.filter(([queue]) => queue === 'soon').length === 2,
  );
  expect(Date.now()).toBeGreaterThanOrEqual(until);
  expect(watching.isPaused('soon')).toBe(false);
  watching.close();
});

test('mending takes away what nobody said, tells what is missing, and does not undo what is told meanwhile', async () => {
  const { watching } = watch(bus);
  await putQueueSettings(bus, 'stray', { version: 1 });
  await putQueueSettings(bus, 'wrong', { version: 9, concurrency: 1 });
  await watching.load();
  const right: [string, QueueSettings][] = [
    ['wrong', { version: 4, concurrency: 2 }],
    ['missing', { version: 1, maxDepth: 3 }],
  ];
  const mended = await mendQueueSettings(bus, async () => {
    await putQueueSettings(bus, 'meanwhile', { version: 7 });
    return new Map([...right, ['meanwhile', { version: 6 }]]);
  });
  expect(mended).toEqual(expect.arrayContaining(['wrong', 'missing', 'stray', 'mail', 'soon']));
  expect(mended).not.toContain('meanwhile');
  await waitUntil(
    'all of it is heard',
    () => watching.of('missing') && !watching.of('stray') && !watching.of('mail'),
  );
  expect(watching.of('wrong')).toEqual({ version: 4, concurrency: 2 });
  expect(watching.of('meanwhile')).toEqual({ version: 7 });
  const all: [string, QueueSettings][] = [...right, ['meanwhile', { version: 7 }]];
  expect(await mendQueueSettings(bus, truth(all))).toEqual([]);
  watching.close();
});

test('what cannot be read ends nothing', async () => {
  const { watching } = watch(bus);
  await putQueueSettings(bus, 'odd', { version: 1, paused: paused() });
  await watching.load();
  const kv = await new Kvm(inside(bus).nc).open(`${namespace}_limits`);
  await kv.put('queue.odd', 'of a later version');
  await putQueueSettings(bus, 'after', { version: 1 });
  await waitUntil('what came after it is heard', () => watching.of('after') !== undefined);
  expect(watching.isPaused('odd')).toBe(true);
  await watching.load();
  expect(watching.isPaused('odd')).toBe(true);
  await putQueueSettings(bus, 'odd', { version: 2 });
  await waitUntil('it is replaced', () => !watching.isPaused('odd'));
  watching.close();
});

test('a pause outlives the loss of the store, and what changed while the server was away is read', async () => {
  const nats = await startOwnNats();
  const own = await connectBus({ servers: nats.url, name: 'queue-settings' });
  await ensureTopology(own, { queues: [], ...testTopology });
  await putQueueSettings(own, 'mail', { version: 1, paused: paused() });
  const { watching } = watch(own);
  await watching.load();
  await nats.kill();
  await nats.start({ wiped: true });
  await ensureTopology(own, { queues: [], ...testTopology });
  expect(watching.isPaused('mail')).toBe(true);
  await putQueueSettings(own, 'mail', { version: 2 });
  await waitUntil('it goes on', () => !watching.isPaused('mail'));
  watching.close();
  await own.close();
  await nats.stop();
});
