import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createLog } from '../log.ts';
import { createCells } from './cells.ts';
import { Histogram } from './histogram.ts';
import { createMetrics } from './metrics.ts';
import { isPushOn, pushMetrics } from './push-metrics.ts';

interface Sent {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] };
    readonly scopeMetrics: readonly { readonly metrics: readonly { readonly name: string }[] }[];
  }[];
}

const log = createLog({ app: 'worker', level: 'fatal' });

/** A collector that keeps what it was sent; the environment names it, as the exporter reads it there. */
async function startCollector(): Promise<{ sent: Sent[] }> {
  const sent: Sent[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url === '/v1/metrics') sent.push(JSON.parse(Buffer.concat(chunks).toString()) as Sent);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
    server.closeAllConnections();
    server.close();
  });
  return { sent };
}

test('the same instruments go to a collector, the last time at the stop', async () => {
  const { sent } = await startCollector();
  const metrics = createMetrics({ app: 'worker' });
  onTestFinished(() => metrics.stop());
  const runs = createCells<'queue' | 'task', Histogram>({ open: 'task', make: () => new Histogram() });
  metrics.observe(() => ({ jetbeat_worker_jobs_held: 3, jetbeat_worker_run_seconds: runs.all }));
  runs.of({ queue: 'q', task: 't' }).value.record(0.002);
  const env = {
    ...process.env,
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_METRIC_EXPORT_INTERVAL: '50',
  };
  const pushing = await pushMetrics({ app: 'worker', metrics, env, log });
  await expect.poll(() => sent.length).toBeGreaterThan(1);
  runs.of({ queue: 'q', task: 't' }).value.record(4_000);
  await pushing?.stop();
  await pushing?.stop();
  const last = sent.at(-1)?.resourceMetrics[0];
  const attributes = last?.resource.attributes ?? [];
  expect(attributes.find(({ key }) => key === 'service.name')?.value.stringValue).toBe('jetbeat-worker');
  const found = last?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
  expect(found.find(({ name }) => name === 'jetbeat_worker_jobs_held')).toMatchObject({
    unit: '{job}',
    gauge: { dataPoints: [{ asDouble: 3 }] },
  });
  expect(found.find(({ name }) => name === 'jetbeat_worker_run_seconds')).toMatchObject({
    unit: 's',
    histogram: { aggregationTemporality: 2, dataPoints: [{ count: 2, sum: 4_000.002 }] },
  });
  expect(found.find(({ name }) => name === 'process_cpu_seconds_total')).toMatchObject({
    sum: { isMonotonic: true, aggregationTemporality: 2 },
  });
});

test('only where they are asked for, and never at the price of the app', async () => {
  const asked = (OTEL_METRICS_EXPORTER?: string) => isPushOn({ OTEL_METRICS_EXPORTER });
  expect([asked(), asked(''), asked('none'), asked('prometheus')]).toEqual([false, false, false, false]);
  expect([asked('otlp'), asked('prometheus, otlp')]).toEqual([true, true]);
  expect(isPushOn({ OTEL_METRICS_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'TRUE' })).toBe(false);
  const metrics = { collect: async () => ({}) };
  const env = { OTEL_METRICS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
  expect(await pushMetrics({ app: 'worker', metrics, env: {}, log })).toBeUndefined();
  expect(await pushMetrics({ app: 'worker', metrics, env, log })).toBeUndefined();
});
