import type { Isolated } from '@jetbeat/core';
import { afterEach, describe, expect, test } from 'vitest';
import { processLives } from '../../../../test/support/process-lives.ts';
import { Cancel } from '../on-purpose.ts';
import { setUpRuns, TASKS } from './isolated.fixture.ts';

type SetUp = ReturnType<typeof setUpRuns>;
const open: SetUp['runs'][] = [];
function setUp(...args: Parameters<typeof setUpRuns>): SetUp {
  const made = setUpRuns(...args);
  open.push(made.runs);
  return made;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((runs) => runs.stop()));
});

describe.each<Isolated['kind']>(['thread', 'process'])('%s', (kind) => {
  test('runs apart from the worker, one at a time, and is used again', async () => {
    const { runs, start } = setUp({ kind });
    expect(runs.count(kind)).toBe(0);
    const first = await start('who').execution;
    const second = await start('who').execution;
    expect(first.outcome).toBe('succeeded');
    expect(second).toEqual(first);
    const at = first.result as { pid: number; thread: number };
    expect(at.pid === process.pid).toBe(kind === 'thread');
    expect(at.thread > 0).toBe(kind === 'thread');
    const both = await Promise.all([
      start('waits', { ms: 50 }).execution,
      start('waits', { ms: 50 }).execution,
    ]);
    expect(both.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
    expect(runs.count(kind)).toBe(2);
  });

  test('outcomes are those of a handler in the worker', async () => {
    const { start } = setUp({ kind });
    const outcome = (by: string) => start('ends', { by }).execution;
    expect(await outcome('throw')).toMatchObject({
      outcome: 'failed',
      error: { name: 'NoSuchCustomerError', code: 'no_such_customer', message: 'no such customer: 404' },
      kinds: ['NoSuchCustomerError', 'RangeError', 'Error', 'no_such_customer'],
    });
    expect(await outcome('retry')).toMatchObject({ outcome: 'failed', delay: 7_000 });
    expect(await outcome('reject')).toMatchObject({ outcome: 'rejected', error: { message: 'never' } });
    expect(await outcome('bigint')).toMatchObject({ outcome: 'failed', error: { code: 'result_not_json' } });
    expect(await outcome('nothing')).toEqual({ outcome: 'succeeded' });
    expect(await start('unheard-of').execution).toMatchObject({
      outcome: 'failed',
      error: { code: 'task_not_there' },
    });
    const made = { ...TASKS, make: { export: 'makeTasks', with: { word: 'given' } } };
    expect(await start('made', {}, { source: made }).execution).toMatchObject({ result: { word: 'given' } });
  });

  test('the context is whole: job, log, schedule, enqueue and what it refuses', async () => {
    const { start } = setUp(
      { kind },
      { settings: { settings: { routing: { 'other.*': 'side' } }, file: 'x' } },
    );
    const { execution, lines, enqueued } = start('context', { a: [1] });
    const { outcome, result } = await execution;
    expect(outcome).toBe('succeeded');
    expect(result).toMatchObject({
      child: { id: enqueued[0]?.envelope.id, task: 'other.task' },
      refused: { name: 'StorageFullError', code: 'storage_full' },
      job: { task: 'fixture.context', runAt: '1970-01-01T00:00:02.000Z' },
      attempt: 3,
      schedule: { name: 'nightly' },
    });
    const { left } = result as { left: number };
    expect([left > 0, left <= 20_000]).toEqual([true, true]);
    expect(enqueued.map(({ envelope }) => [envelope.task, envelope.queue])).toEqual([['other.task', 'side']]);
    expect(lines[0]).toMatchObject({ level: 'warn', fields: { err: { name: 'Error' } }, message: 'a line' });
    expect(lines.length).toBeLessThanOrEqual(2_002);
    expect(lines.some(({ message }) => /lines of the handler's log were left out/.test(message))).toBe(true);
  });

  test('the hard limit ends a handler that computes for ever, and its neighbour goes on', async () => {
    const { start } = setUp({ kind });
    const spinning = start('spin', {}, { limits: { hard: 500 } });
    const neighbour = start('waits', { ms: 1_500 });
    await spinning.begun;
    const execution = await spinning.execution;
    expect(execution).toMatchObject({ outcome: 'timed-out', error: { code: 'hard_time_limit' } });
    expect(execution.kinds).toContain('HardTimeLimitError');
    expect(execution.abandoned).toBeUndefined();
    const pid = (await spinning.begun).fields.pid ?? 0;
    expect(await processLives(pid)).toBe(kind === 'thread');
    expect(await neighbour.execution).toMatchObject({ outcome: 'succeeded' });
    expect(await start('who').execution).toMatchObject({ outcome: 'succeeded' });
  });

  test('the soft limit aborts the signal; a handler that waits on is ended at the hard one', async () => {
    const { start } = setUp({ kind });
    const [obeys, waits] = [5_000, 400].map((hard) => ({ limits: { soft: 100, hard } }));
    expect(await start('obedient', {}, obeys).execution).toMatchObject({
      outcome: 'timed-out',
      error: { code: 'soft_time_limit' },
    });
    expect(await start('stubborn', {}, waits).execution).toMatchObject({
      outcome: 'timed-out',
      error: { code: 'hard_time_limit' },
    });
  });

  test('a cancel arrives within 200 ms; who stops for another reason gives the job back', async () => {
    const { start } = setUp({ kind });
    const took: number[] = [];
    // A way that takes long does so each time; a machine that is busy does not.
    while (took.length < 20 && !took.some((ms) => ms < 200)) {
      const run = start('obedient');
      await run.begun;
      const at = performance.now();
      run.interrupt.abort(Cancel('no longer wanted'));
      expect(await run.execution).toMatchObject({
        outcome: 'cancelled',
        error: { message: 'no longer wanted' },
      });
      took.push(performance.now() - at);
    }
    expect(Math.min(...took)).toBeLessThan(200);
    for (const name of ['obedient', 'stubborn', 'spin']) {
      const stopped = start(name);
      await stopped.begun;
      stopped.interrupt.abort(new Error('the worker is stopping'));
      expect(await stopped.execution).toMatchObject({ outcome: 'failed', interrupted: true });
    }
    const early = start('who');
    early.interrupt.abort(Cancel('before it began'));
    expect(await early.execution).toMatchObject({ outcome: 'cancelled' });
  });

  test.each([
    ['exit', 'ended with exit code 3 before the handler was done'],
    ['uncaught', 'ended by an error that nobody caught: RangeError: nobody caught this'],
    ['memory', 'memory'],
  ])('a death by %s is a loss with its reason, and the next run finds a new box', async (by, how) => {
    const { start } = setUp({ kind }, { execArgv: ['--max-old-space-size=40'], threadMemory: 40 });
    const neighbour = start('waits', { ms: 300 });
    const execution = await start('dies', { by }).execution;
    expect(execution).toMatchObject({
      outcome: 'lost',
      error: { name: 'ChildLostError', code: 'child_lost', message: expect.stringContaining(how) },
    });
    expect(await neighbour.execution).toMatchObject({ outcome: 'succeeded' });
    expect(await start('who').execution).toMatchObject({ outcome: 'succeeded' });
  });
});

test('who does not obey a cancel is ended 5 s later', async () => {
  const ends = (['thread', 'process'] as const).map(async (kind) => {
    const run = setUp({ kind }).start('spin');
    await run.begun;
    const at = performance.now();
    run.interrupt.abort(Cancel('no longer wanted'));
    expect(await run.execution).toMatchObject({
      outcome: 'cancelled',
      error: { message: 'no longer wanted' },
    });
    expect(performance.now() - at).toBeGreaterThan(4_900);
  });
  await Promise.all(ends);
});

test('what is idle for long ends, and stopping ends all', async () => {
  const { runs, start } = setUp({ kind: 'process' }, { idleMs: 100 });
  const { result } = await start('who').execution;
  await expect.poll(() => runs.count('process')).toBe(0);
  const { pid } = result as { pid: number };
  await expect.poll(() => processLives(pid)).toBe(false);
  const again = (await start('who').execution).result as { pid: number };
  await runs.stop();
  expect(runs.count('process')).toBe(0);
  expect(await processLives(again.pid)).toBe(false);
  expect(await start('who').execution).toMatchObject({ interrupted: true });
});
