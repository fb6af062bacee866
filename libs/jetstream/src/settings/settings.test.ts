import { Kvm } from '@nats-io/kv';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, startOwnNats, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import { waitUntil } from '../../../../test/support/wait-until.ts';
import { type Bus, inside } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { ensureTopology } from '../streams/topology.ts';
import { putSettings, watchSettings } from './settings.ts';

const namespace = testNamespace();
let bus: Bus;
beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'settings', namespace });
});
afterAll(() => bus?.close());

function watch(of: Bus) {
  const heard: (string | undefined)[] = [];
  return { heard, watching: watchSettings(of, (text) => heard.push(text)) };
}

test('none before there is a bucket; then each change once, also that there are none any more', async () => {
  const first = watch(bus);
  await first.watching.load(5_000);
  expect(first.watching.text).toBeUndefined();
  await ensureTopology(bus, { queues: [], ...testTopology });
  await putSettings(bus, '{"a":1}');
  await putSettings(bus, '{"a":1}');
  await putSettings(bus, '{"a":2}', { onlyMissing: true });
  await waitUntil('the first is heard', () => first.watching.text !== undefined);
  const second = watch(bus);
  await second.watching.load(5_000);
  expect(second.heard).toEqual(['{"a":1}']);
  await putSettings(bus, '{"a":2}');
  await waitUntil('the second is heard', () => first.heard.length === 2 && second.heard.length === 2);
  await (await new Kvm(inside(bus).nc).open(`${namespace}_limits`)).delete('settings');
  await waitUntil('the end is heard', () => first.heard.length === 3 && second.heard.length === 3);
  expect(first.heard).toEqual(['{"a":1}', '{"a":2}', undefined]);
  await putSettings(bus, '{"a":3}', { onlyMissing: true });
  await waitUntil('it is there again', () => first.heard.length === 4 && second.heard.length === 4);
  first.watching.close();
  await putSettings(bus, '{"a":4}');
  await waitUntil('whoever is left hears it', () => second.watching.text === '{"a":4}');
  expect(first.heard.slice(3)).toEqual(['{"a":3}']);
  second.watching.close();
});

test('more than any file needs is refused, and left alone by those who hear it', async () => {
  const { heard, watching } = watch(bus);
  await watching.load(5_000);
  const large = JSON.stringify('x'.repeat(600_000));
  await expect(putSettings(bus, large)).rejects.toThrow('more than 524288 bytes');
  await (await new Kvm(inside(bus).nc).open(`${namespace}_limits`)).put('settings', large);
  await putSettings(bus, '{}');
  await waitUntil('the next is heard', () => watching.text === '{}');
  expect(heard).toEqual(['{"a":4}', '{}']);
  watching.close();
});

test('what changed while the server was away is read when it is back', async () => {
  const nats = await startOwnNats();
  const own = await connectBus({ servers: nats.url, name: 'settings' });
  await ensureTopology(own, { queues: [], ...testTopology });
  await putSettings(own, '{"a":1}');
  const { watching } = watch(own);
  await watching.load(5_000);
  expect(watching.text).toBe('{"a":1}');
  await nats.kill();
  await nats.start({ wiped: true });
  await waitUntil('it is known to be gone', () => watching.text === undefined);
  watching.close();
  await own.close();
  await nats.stop();
});
