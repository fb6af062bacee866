import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import { defineTask } from './define-task.ts';
import { manualClock, runTask } from './testing.ts';

test('a manual clock calls what falls due, in order, and not what was cancelled', () => {
  const clock = manualClock(1_000);
  const seen: string[] = [];
  clock.after(20, () => seen.push(`b at ${clock.now()}`));
  clock.after(10, () => {
    seen.push(`a at ${clock.now()}`);
    clock.after(5, () => seen.push(`c at ${clock.now()}`));
  });
  clock.after(15, () => seen.push('never'))();
  clock.advance(19);
  expect(seen).toEqual(['a at 1010', 'c at 1015']);
  clock.advance(1);
  expect(seen.at(-1)).toBe('b at 1020');
  expect(clock.elapsed()).toBe(20);
});

test('a timer longer than Node can hold does not fire at once', async () => {
  let fired = false;
  const cancel = systemClock.after(2 ** 31, () => {
    fired = true;
  });
  await new Promise<void>((resolve) => systemClock.after(5, resolve));
  cancel();
  expect(fired).toBe(false);
});

test('runTask shows what a handler logged, saw and returned', async () => {
  const task = defineTask({
    name: 'a',
    run(input, ctx) {
      ctx.log.info('begins');
      ctx.log.warn({ input }, 'odd');
      return { attempt: ctx.attempt, meta: ctx.job.meta, nominal: ctx.schedule?.nominalTime };
    },
  });
  const run = await runTask(task, 1, {
    attempt: 2,
    meta: { a: 'b' },
    schedule: { name: 's', nominalTime: new Date(0) },
    signal: new AbortController().signal,
  });
  expect(run).toMatchObject({
    outcome: 'succeeded',
    result: { attempt: 2, meta: { a: 'b' }, nominal: '1970-01-01T00:00:00.000Z' },
    logged: [
      { level: 'info', fields: {}, message: 'begins' },
      { level: 'warn', fields: { input: 1 }, message: 'odd' },
    ],
  });
});
