import { resolve } from 'node:path';
import { expect, test, vi } from 'vitest';
import { startAppGroup } from '../support/app-group.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { ownPort } from '../support/ports.ts';
import { waitUntil } from '../support/wait-until.ts';

// Three apps start, with all of OpenTelemetry, and the recorder waits 5 s before it publishes.
vi.setConfig({ testTimeout: 120_000 });

test('a job that was accepted without NATS: the recorder sends it, and the attempt hangs on that', async () => {
  const receiver = await startOtlpReceiver();
  const tasks = { JETBEAT_TASKS: resolve(import.meta.dirname, 'trace-tasks.ts') };
  const apps = await startAppGroup({ ...receiver.env, ...tasks });
  try {
    await Promise.all([apps.start('recorder'), apps.start('worker')]);
    await apps.start('api', { JETBEAT_NATS_URL: `nats://127.0.0.1:${await ownPort()}` });
    const answer = await apps.http.call<{ id: string }>('POST', '/jobs', { task: 'system.echo', input: 1 });
    expect(answer.status).toBe(202);
    const traceId = (answer.headers.get('traceparent') ?? '').slice(3, 35);
    const spans = await waitUntil(
      'the attempt is recorded',
      () => {
        const found = receiver.trace(traceId);
        const names = new Set(found.map(({ name }) => name));
        return names.has('record') && names.has('wait default') && names.has('send default') && found;
      },
      { timeoutMs: 60_000 },
    );
    const send = spans.find(({ name, service }) => name === 'send default' && service === 'jetbeat-recorder');
    expect(send).toMatchObject({ attributes: { 'jetbeat.job.id': answer.body.id } });
    const wait = spans.find(({ name }) => name === 'wait default');
    expect(wait?.parentSpanId).toBe(send?.spanId);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  } finally {
    await apps.stop();
    await receiver.stop();
  }
});
