import { getEventListeners } from 'node:events';
import { DEFAULT_POLICY } from '@jetbeat/core';
import { expect, test } from 'vitest';
import type { Clock } from './clock.ts';
import { defineTask } from './define-task.ts';
import { begun, ends, LIMITED, setUp, WAIT } from './execute.fixture.ts';
import { execute } from './execute.ts';
import { Interrupt } from './interrupt.ts';
import { Cancel, Retry } from './on-purpose.ts';
import { manualClock, runTask } from './testing.ts';

test('the soft limit aborts the signal, and what is thrown then is timed-out', async () => {
  const { execution, clock } = await begun(
    (_, ctx) =>
      new Promise((_resolve, reject) =>
        ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)),
      ),
    { policy: LIMITED },
  );
  clock.advance(50);
  expect(await execution).toMatchObject({ outcome: 'timed-out', error: { code: 'soft_time_limit' } });
});

test('another error after the soft limit names both', async () => {
  const gate = Promise.withResolvers<void>();
  const { execution, clock } = await begun(
    async () => {
      await gate.promise;
      throw new Error('connection lost');
    },
    { policy: LIMITED },
  );
  clock.advance(50);
  gate.resolve();
  const { outcome, error } = await execution;
  expect(outcome).toBe('timed-out');
  expect(error?.message).toBe(
    'the soft time limit of 50ms has passed; the handler then threw Error: connection lost',
  );
});

test('a handler that finishes between the limits has succeeded, and its own Retry keeps its delay', async () => {
  for (const [end, expected] of [
    [() => 'done', { outcome: 'succeeded', result: 'done' }],
    [() => Promise.reject(Retry({ delay: '1s' })), { outcome: 'timed-out', delay: 1_000 }],
  ] as const) {
    const gate = Promise.withResolvers<void>();
    const { execution, clock } = await begun(() => gate.promise.then(end), { policy: LIMITED });
    clock.advance(60);
    gate.resolve();
    expect(await execution).toMatchObject(expected);
  }
});

test('the hard limit ends the attempt, and the handler that runs on is abandoned', async () => {
  const gate = Promise.withResolvers<void>();
  const { execution, ctx, clock, logged } = await begun(() => gate.promise, { policy: LIMITED });
  clock.advance(100);
  expect(await execution).toMatchObject({
    outcome: 'timed-out',
    abandoned: true,
    error: { code: 'handler_abandoned' },
  });
  await expect(ctx.enqueue('other.task', {})).rejects.toMatchObject({ code: 'attempt_over' });
  gate.reject(new Error('late'));
  await expect.poll(() => logged.length).toBe(1);
  expect(logged[0]?.[1]).toContain('abandoned');
});

test('a handler that obeys the hard limit is timed-out but not abandoned', async () => {
  const { execution, clock } = await begun(
    (_, ctx) =>
      new Promise((_resolve, reject) =>
        ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)),
      ),
    { policy: { ...LIMITED, timeout: { hard: 100 } } },
  );
  clock.advance(100);
  const { outcome, abandoned } = await execution;
  expect([outcome, abandoned]).toEqual(['timed-out', undefined]);
});

test('a handler that blocked the event loop past its deadline is timed-out although it returned', async () => {
  const base = manualClock();
  let elapsed = 0;
  const clock: Clock = { ...base, elapsed: () => elapsed };
  const execution = await ends(
    () => {
      elapsed = 101;
      return 'done';
    },
    { policy: LIMITED, clock },
  );
  expect(execution).toMatchObject({ outcome: 'timed-out', error: { code: 'hard_time_limit' } });
  expect(execution.result).toBeUndefined();
});

test('the real clock ends an attempt too', async () => {
  const { clock: _, ...params } = setUp(WAIT, {
    policy: { ...DEFAULT_POLICY, timeout: { hard: 20 } },
  }).params;
  expect(await execute(params)).toMatchObject({ outcome: 'timed-out', abandoned: true });
});

test('an ended attempt leaves no timer and no listener behind', async () => {
  const base = manualClock();
  let timers = 0;
  const clock: Clock = {
    ...base,
    after() {
      timers++;
      return () => timers--;
    },
  };
  const { signal } = new AbortController();
  const task = defineTask({
    name: 'test.task',
    run: async () => {},
    timeout: { soft: '1s' },
  });
  const running = runTask(task, {}, { clock, signal });
  expect([timers, getEventListeners(signal, 'abort').length]).toEqual([2, 1]);
  expect(await running).toMatchObject({ outcome: 'succeeded' });
  expect([timers, getEventListeners(signal, 'abort')]).toEqual([0, []]);
});

test('an attempt that ends at once answers at once, and sets no timer', () => {
  const clock: Clock = {
    ...manualClock(),
    after() {
      throw new Error('a timer');
    },
  };
  expect(execute(setUp(() => 1, { clock, policy: LIMITED }).params)).toEqual({
    outcome: 'succeeded',
    result: 1,
  });
});

test('a cancel from outside cancels, anything else from outside interrupts', async () => {
  for (const [reason, expected] of [
    [Cancel('by an operator'), { outcome: 'cancelled', error: { message: 'by an operator' } }],
    [new Error('the worker stops'), { outcome: 'failed', interrupted: true }],
  ] as const) {
    const interrupt = new Interrupt();
    const { execution } = await begun(
      (_, ctx) =>
        new Promise((_resolve, reject) =>
          ctx.signal.addEventListener('abort', () => reject(new Error('aborted'))),
        ),
      { interrupt },
    );
    interrupt.abort(reason);
    interrupt.abort(new Error('again'));
    expect(await execution).toMatchObject(expected);
  }
});

test('an interrupt before the start keeps the handler from running', async () => {
  let called = false;
  const interrupt = new Interrupt();
  interrupt.abort(Cancel());
  const run = () => {
    called = true;
  };
  const execution = await ends(run, { interrupt });
  expect([execution.outcome, called]).toEqual(['cancelled', false]);
});
