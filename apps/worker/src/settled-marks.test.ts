import { connectBus, ensureTopology, putSettled, silentLog } from '@jetbeat/jetstream';
import { expect, onTestFinished, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../test/support/nats.ts';
import { loadMarks } from './settled-marks.ts';

test('after the stream was replaced, marks of the old one make nothing suspect that comes later', async () => {
  const bus = await connectBus({
    servers: natsUrl(),
    name: 'test',
    namespace: testNamespace(),
    log: silentLog,
  });
  onTestFinished(() => bus.close());
  await ensureTopology(bus, { queues: ['default'], ...testTopology });
  await putSettled(bus, 'default', 500);
  const marks = await loadMarks(bus, ['default']);
  expect(marks.upTo('default')).toBe(500);
  marks.suspectAll();
  expect(marks.upTo('default')).toBe(Number.POSITIVE_INFINITY);
  await marks.distrust(new AbortController().signal);
  expect(marks.upTo('default')).toBe(0);
});
