import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';
import type { AppProcess } from '../support/app-process.ts';
import { type OtlpReceiver, otlpEnv, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { ownPort } from '../support/ports.ts';
import { waitUntil } from '../support/wait-until.ts';

const tasks = { JETBEAT_TASKS: resolve(import.meta.dirname, 'trace-tasks.ts') };
// Three apps start in each, with all of OpenTelemetry.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let receiver: OtlpReceiver;
let apps: AppGroup | undefined;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
});
afterEach(async () => {
  await apps?.stop();
  await receiver?.stop();
});

async function start(env: Record<string, string>): Promise<AppProcess[]> {
  apps = await startAppGroup({ ...tasks, ...env });
  const api = await apps.start('api');
  return [api, ...(await Promise.all([apps.start('recorder'), apps.start('worker')]))];
}

async function run(body: object, state = 'succeeded'): Promise<{ id: string; traceId: string }> {
  if (!apps) throw new Error('the apps are not started');
  const { body: accepted } = await apps.http.call<{ id: string }>('POST', '/jobs', body);
  const { traceId } = await apps.http.jobIn(accepted.id, [state]);
  return { id: accepted.id, traceId: traceId ?? '' };
}

test('of a trace that is not kept only failed and slow attempts are shown, by the worker', async () => {
  await start({
    ...receiver.env,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0',
    JETBEAT_TRACE_SLOW: '2s',
  });
  const good = await run({ task: 'trace.slow', input: { ms: 0 } });
  const failed = await run({ task: 'trace.failing', input: {} }, 'dead');
  const slow = await run({ task: 'trace.slow', input: { ms: 2_100 } });
  const flaky = await run({ task: 'trace.flaky', input: {} });
  const all = await waitUntil(
    'the spans of four attempts',
    () => receiver.spans.length >= 12 && receiver.spans,
    { timeoutMs: 60_000 },
  );
  expect(all).toHaveLength(12);
  expect(new Set(all.map(({ service }) => service))).toEqual(new Set(['jetbeat-worker']));
  expect(receiver.trace(good.traceId)).toEqual([]);
  for (const [job, task] of [
    [failed, 'trace.failing'],
    [slow, 'trace.slow'],
  ] as const) {
    const spans = receiver.trace(job.traceId);
    const [wait, process, settle] = ['wait default', `process ${task}`, 'settle default'].map((name) =>
      spans.find((span) => span.name === name),
    );
    // Nobody has made the span that the message names, so the wait begins what is shown.
    expect(wait).toMatchObject({ parentSpanId: undefined, end: process?.start });
    expect(process).toMatchObject({ parentSpanId: wait?.spanId, kind: 5 });
    expect(settle).toMatchObject({ parentSpanId: process?.spanId, start: process?.end });
    expect(process?.attributes['jetbeat.job.id']).toBe(job.id);
  }
  const attempts = receiver.trace(flaky.traceId).filter(({ name }) => name.startsWith('process'));
  expect(attempts.map(({ status }) => status.message)).toEqual(['attempt 1 fails', 'attempt 2 fails']);
  expect(attempts[1]?.links).toEqual([{ traceId: flaky.traceId, spanId: attempts[0]?.spanId }]);
});

test('a collector that is away changes nothing, and is told of once', async () => {
  const all = await start(otlpEnv(await ownPort()));
  const jobs = await Promise.all(
    Array.from({ length: 20 }, () => run({ task: 'system.echo', input: { a: 1 } })),
  );
  expect(jobs).toHaveLength(20);
  const told = (app: AppProcess) => app.output().match(/this is said once/g)?.length ?? 0;
  await waitUntil('every app has told of it', () => all.every((app) => told(app) > 0), { timeoutMs: 60_000 });
  await run({ task: 'trace.failing', input: {} }, 'dead');
  const begun = performance.now();
  expect(await Promise.all(all.map((app) => app.stop()))).toEqual([0, 0, 0]);
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(all.map(told)).toEqual([1, 1, 1]);
});

test('off, nothing of OpenTelemetry is loaded; a job is a trace of its own', async () => {
  const hook = `--import=${resolve(import.meta.dirname, '../support/tell-loads.mjs')}`;
  const off = await start({ NODE_OPTIONS: hook });
  const job = await run({ task: 'trace.slow', input: { ms: 0 } });
  expect(job.traceId).toBe(job.id.replaceAll('-', ''));
  // The tasks of this test import its API, as anybody's may.
  const loaded = off.map((app) => [...app.output().matchAll(/LOADED (.*)/g)].map(([, name]) => name));
  expect(loaded[0]).toEqual([]);
  expect(loaded[1]).toEqual([]);
  expect(new Set(loaded[2])).toEqual(new Set(['@opentelemetry/api']));
  const on = await apps?.start('recorder', { ...receiver.env, NODE_OPTIONS: hook });
  expect(on?.output()).toContain('LOADED @opentelemetry/sdk-node');
});
