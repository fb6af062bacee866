import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type Jaeger, type JaegerSpan, type JaegerTrace, startJaeger } from '../support/jaeger.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { drawTrace } from '../support/trace-tree.ts';
import { waitUntil } from '../support/wait-until.ts';

const docs = resolve(import.meta.dirname, '../../docs');
const tasks = resolve(import.meta.dirname, '../flow/trace-tasks.ts');
let jaeger: Jaeger | undefined;
let stack: Stack | undefined;

afterEach(async () => {
  await stack?.stop();
  await jaeger?.stop();
});

async function start(
  params: Parameters<typeof startJaeger>[0] = {},
): Promise<{ jaeger: Jaeger; stack: Stack }> {
  jaeger = await startJaeger(params);
  stack = await startStack({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpUrl,
      OTEL_BSP_SCHEDULE_DELAY: '200',
      JETBEAT_TASKS: tasks,
    },
  });
  for (const name of ['api', 'scheduler', 'recorder', 'worker'] as const) await stack.start(name);
  return { jaeger, stack };
}

function named(trace: JaegerTrace, name: string): JaegerSpan[] {
  return trace.spans
    .filter(({ operationName }) => operationName === name)
    .sort((a, b) => a.startTime - b.startTime);
}

function tag(span: JaegerSpan | undefined, key: string): unknown {
  return span?.tags.find((each) => each.key === key)?.value;
}

function references(span: JaegerSpan | undefined, refType: string): (string | undefined)[] {
  return (span?.references ?? []).filter((each) => each.refType === refType).map(({ spanID }) => spanID);
}

test('Jaeger shows a scheduled job with two retries as one tree', async () => {
  const { jaeger, stack } = await start();
  const schedule = { name: 'nightly', when: { every: '1s' }, job: { task: 'trace.flaky', input: {} } };
  expect((await stack.http.call('POST', '/schedules', schedule)).status).toBe(201);
  const trace = await waitUntil(
    'a trace with three recorded attempts',
    async () => {
      const found = await jaeger.find('jetbeat-scheduler', 'fire nightly');
      return found.find((each) => named(each, 'record').length === 3);
    },
    { timeoutMs: 60_000, everyMs: 250 },
  );
  expect((await stack.http.call('DELETE', '/schedules/nightly')).status).toBe(204);

  const [fire] = named(trace, 'fire nightly');
  const [send] = named(trace, 'send default');
  const attempts = named(trace, 'process trace.flaky');
  expect(trace.traceID).toBe(String(tag(fire, 'jetbeat.job.id')).replaceAll('-', ''));
  expect(references(fire, 'CHILD_OF')).toEqual([]);
  expect(references(send, 'CHILD_OF')).toEqual([fire?.spanID]);
  expect(attempts.map((span) => references(span, 'CHILD_OF'))).toEqual(attempts.map(() => [send?.spanID]));
  expect(attempts.map((span) => references(span, 'FOLLOWS_FROM'))).toEqual([
    [],
    [attempts[0]?.spanID],
    [attempts[1]?.spanID],
  ]);
  expect(attempts.map((span) => tag(span, 'jetbeat.outcome'))).toEqual(['failed', 'failed', 'succeeded']);
  expect(attempts.map((span) => tag(span, 'error'))).toEqual([true, true, undefined]);
  for (const name of ['settle default', 'record', 'own work']) {
    const parents = named(trace, name).map((span) => references(span, 'CHILD_OF')[0]);
    expect([name, ...parents].sort()).toEqual([name, ...attempts.map(({ spanID }) => spanID)].sort());
  }
  expect(named(trace, 'wait default')).toHaveLength(3);
  const services = new Set(trace.spans.map(({ processID }) => trace.processes[processID]?.serviceName));
  expect(services).toEqual(new Set(['jetbeat-scheduler', 'jetbeat-worker', 'jetbeat-recorder']));
  // Jaeger warns of a parent that it does not know, and of a child that is not within its parent: what settles, is later.
  const warnings = trace.spans.flatMap((span) => span.warnings ?? []);
  expect(warnings.filter((warning) => !warning.startsWith('clock skew adjustment disabled'))).toEqual([]);

  const drawn = drawTrace(trace);
  console.log(drawn);
  if (process.env['TRACE_JSON']) {
    await writeFile(process.env['TRACE_JSON'], `${JSON.stringify({ data: [trace] }, null, 1)}\n`);
  }
});

test('tail sampling as documented keeps whole traces of failed jobs only', async () => {
  const { jaeger, stack } = await start({
    config: join(docs, 'tail-sampling.yaml'),
    env: { DECISION_WAIT: '3s', SHARE: '0' },
  });
  const run = async (task: string, state: string) => {
    const { body } = await stack.http.call<{ id: string }>('POST', '/jobs', { task, input: {} });
    return (await stack.http.jobIn(body.id, [state])).traceId ?? '';
  };
  const good = await run('system.echo', 'succeeded');
  const failed = await run('trace.failing', 'dead');
  const trace = await waitUntil('the trace of the failed job', () => jaeger.trace(failed), {
    timeoutMs: 60_000,
    everyMs: 250,
  });
  const names = trace.spans.map(({ operationName }) => operationName);
  expect(names).toEqual(
    expect.arrayContaining([
      'POST /api/v1/jobs',
      'send default',
      'wait default',
      'process trace.failing',
      'record',
    ]),
  );
  // It was decided before.
  expect(await jaeger.trace(good)).toBeUndefined();
});
