import { connect } from '@jetbeat/client';
import { type Bus, connectBus, ensureTopology, findMessage, type StoredJob } from '@jetbeat/jetstream';
import { context, propagation, trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../support/nats.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { waitUntil } from '../support/wait-until.ts';

const namespace = testNamespace();
let receiver: OtlpReceiver;
let sdk: NodeSDK;
let bus: Bus;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  Object.assign(process.env, receiver.env);
  bus = await connectBus({ servers: natsUrl(), name: 'test', namespace });
  await ensureTopology(bus, { queues: ['default'], ...testTopology });
});
afterAll(async () => {
  await sdk?.shutdown();
  // The files after this one may be run by the same process.
  for (const api of [trace, context, propagation]) api.disable();
  for (const name of Object.keys(receiver?.env ?? {})) delete process.env[name];
  await bus?.close();
  await receiver?.stop();
});

function messages(count: number): Promise<StoredJob[]> {
  return waitUntil(`${count} messages`, async () => {
    const found = await Promise.all(
      Array.from({ length: count }, (_, index) => findMessage(bus, { seq: index + 1 })),
    );
    const there = found.filter((one) => one !== undefined);
    return there.length === count && there;
  });
}

function sent(name: string): Promise<ReceivedSpan> {
  return waitUntil(`the span ${name}`, () => receiver.spans.find((span) => span.name === name));
}

test('a program’s own SDK: its trace goes on in the job, and not without one', async () => {
  const client = await connect({ servers: natsUrl(), namespace });
  try {
    const alone = await client.enqueue('system.echo', 0);
    expect(alone.traceId).toBe(alone.id.replaceAll('-', ''));

    sdk = new NodeSDK({ metricReaders: [], logRecordProcessors: [], resourceDetectors: [] });
    sdk.start();
    const { job, jobs, caller } = await trace.getTracer('test').startActiveSpan('caller', async (span) => {
      const job = await client.enqueue('system.echo', 1);
      const jobs = await client.enqueueMany('system.echo', [2, 3]);
      span.end();
      return { job, jobs, caller: span.spanContext() };
    });
    const [first, second, ...many] = await messages(4);
    expect([first?.traceparent, first?.link]).toEqual([undefined, undefined]);

    const send = await sent('send default');
    expect(send).toMatchObject({ kind: 4, traceId: caller.traceId, parentSpanId: caller.spanId });
    expect(send.attributes).toMatchObject({ 'jetbeat.job.id': job.id, 'messaging.system': 'nats' });
    expect(job.traceId).toBe(caller.traceId);
    expect(second?.traceparent).toBe(`00-${caller.traceId}-${send.spanId}-01`);

    const bulk = await sent('send system.echo');
    expect(bulk).toMatchObject({ kind: 4, traceId: caller.traceId, parentSpanId: caller.spanId });
    expect(bulk.attributes['messaging.batch.message_count']).toBe(2);
    expect(jobs.map(({ traceId }) => traceId)).toEqual(jobs.map(({ id }) => id.replaceAll('-', '')));
    for (const message of many) {
      expect([message.traceparent, message.link]).toEqual([
        undefined,
        `00-${caller.traceId}-${bulk.spanId}-01`,
      ]);
    }
  } finally {
    await client.close();
  }
});
