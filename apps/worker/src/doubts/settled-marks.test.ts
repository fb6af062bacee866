import { connectBus, ensureTopology, publishJobs, putSettled, silentLog } from '@jetbeat/jetstream';
import { expect, onTestFinished, test } from 'vitest';
import { natsUrl, startOwnNats, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import { newJob } from '../../../../test/support/recorder.ts';
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

test('a worker that starts after the server was killed takes nothing for new that was stored before', async () => {
  const nats = await startOwnNats();
  onTestFinished(() => nats.stop());
  const open = async () => {
    const bus = await connectBus({ servers: nats.url, name: 'test', log: silentLog });
    onTestFinished(() => bus.close());
    return bus;
  };
  const first = await open();
  await ensureTopology(first, { queues: ['default'], ...testTopology });
  const publish = async () => {
    const [result] = await publishJobs(first, [{ envelope: newJob(), traceparent: undefined }]);
    expect(result).toMatchObject({ ok: true });
  };
  await publish();
  const early = await loadMarks(await open(), ['default']);
  expect(early.upTo('default')).toBe(0);
  // This server has never died, so nobody need ask about what its timers fire.
  expect(early.restartedFor()).toBe(Number.POSITIVE_INFINITY);

  const back = new Promise((resolve) => void first.onReconnect(resolve));
  await nats.kill();
  await nats.start();
  await back;
  // Who lived through it trusts nothing until it has looked.
  await expect.poll(() => early.distrusting).toBe(true);
  expect((await loadMarks(await open(), ['default'])).upTo('default')).toBe(1);
  await publish();
  const late = await loadMarks(await open(), ['default']);
  expect(late.upTo('default')).toBe(1);
  expect(early.restartedFor()).toBeLessThan(60_000);
  expect(late.restartedFor()).toBeGreaterThan(0);
  expect(late.restartedFor()).toBeLessThan(60_000);
  expect(late.distrusting).toBe(false);
});
