import { expect, onTestFinished, test } from 'vitest';
import { startApp } from '../support/app-process.ts';
import { startOwnNats } from '../support/nats.ts';
import { ownPort } from '../support/ports.ts';
import { createRecorderBench, newJob, settledEvent } from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** What is under way when NATS goes away would wait for it for 10 s, and the worker's thread until it is ended after 4 s. */
test('a recorder and an idle worker that are told to stop while NATS is away do not wait for it', async () => {
  const nats = await startOwnNats();
  const bench = await createRecorderBench({ nats: nats.url });
  const env = { JETBEAT_NATS_URL: nats.url, JETBEAT_NAMESPACE: bench.namespace };
  const worker = startApp({ name: 'worker', env, healthPort: await ownPort() });
  onTestFinished(() => worker.kill());
  try {
    const often = { reconcileEveryMs: 10, releaseEveryMs: 10, gaugeEveryMs: 10, topologyEveryMs: 10 };
    const recorder = await bench.start({ times: often });
    await worker.ready();
    await bench.events.publish(settledEvent(newJob()));
    await nats.kill();
    await waitUntil('it is known', async () => (await fetch(`${recorder.healthUrl}/readyz`)).status === 503);
    await waitUntil('the worker knows', () => worker.output().includes('NATS is away'));
    const began = performance.now();
    const stopped = worker.stop();
    await recorder.stop();
    expect(performance.now() - began).toBeLessThan(8_000);
    expect(await stopped).toBe(0);
    expect(worker.output()).not.toContain('keep-alive thread did not stop');
  } finally {
    await bench.stop();
    await nats.stop();
  }
}, 60_000);
