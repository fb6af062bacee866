import { Type } from 'typebox';
import { expect, test } from 'vitest';
import type { Context } from './context.ts';
import { defineTask } from './define-task.ts';
import { ends, JOB } from './execute.fixture.ts';
import { Cancel, Reject, Retry, Snooze } from './on-purpose.ts';

test('the handler gets its input and its context, and its result is plain data', async () => {
  let seen: Context | undefined;
  const execution = await ends((input, ctx) => {
    seen = ctx;
    return { input, at: new Date(0) };
  });
  expect(execution).toEqual({
    outcome: 'succeeded',
    result: { input: { to: 'a' }, at: '1970-01-01T00:00:00.000Z' },
  });
  expect(seen).toMatchObject({
    job: { id: JOB.id, task: 'test.task', meta: {}, createdAt: new Date(1_000), runAt: new Date(2_000) },
    attempt: 3,
    deadline: new Date(Date.UTC(2026, 0, 1) + 3_600_000),
    schedule: { name: 'nightly', nominalTime: new Date(1_500) },
  });
});

test('a handler that returns nothing has no result', async () => {
  expect(await ends(() => undefined)).toEqual({ outcome: 'succeeded' });
});

test.each([
  ['a BigInt', { n: 1n }, 'BigInt'],
  ['a function', () => 1, 'it is a function'],
])('a result with %s fails the attempt with a clear error', async (_, value, text) => {
  const execution = await ends(() => value);
  expect(execution).toMatchObject({ outcome: 'failed', error: { code: 'result_not_json' } });
  expect(execution.error?.message).toContain(text);
});

test('a wrong input is rejected and the handler is not called', async () => {
  let called = false;
  const run = () => {
    called = true;
  };
  const task = defineTask({ name: 'test.task', input: Type.Object({ to: Type.Number() }), run });
  const execution = await ends(() => {}, { task });
  expect(execution).toMatchObject({
    outcome: 'rejected',
    error: { name: 'InvalidInputError', code: 'invalid_input' },
  });
  expect(execution.error?.message).toContain('/to: must be number');
  expect(called).toBe(false);
});

test('an InvalidInputError of the handler itself is a failure, which is tried again', async () => {
  const execution = await ends((_, ctx) => ctx.enqueue('no good name!', {}));
  expect(execution).toMatchObject({ outcome: 'failed', error: { code: 'invalid_input' } });
});

test.each([
  [Retry({ delay: '5s' }), { outcome: 'failed', delay: 5_000, error: { code: 'retry' } }],
  [Retry({ reason: 'busy' }), { outcome: 'failed', error: { message: 'busy' } }],
  [Snooze({ delay: '1h' }), { outcome: 'snoozed', delay: 3_600_000 }],
  [
    Reject('no such customer'),
    { outcome: 'rejected', error: { message: 'no such customer', code: 'reject' } },
  ],
  [Cancel(), { outcome: 'cancelled' }],
])('%s ends the attempt on purpose', async (thrown, expected) => {
  expect(
    await ends(() => {
      throw thrown;
    }),
  ).toMatchObject(expected);
});

test('the four work with `new` too', () => {
  const Make = Reject as unknown as new (reason: string) => Error;
  expect(new Make('no')).toMatchObject({ purpose: 'reject', message: 'no' });
});

test('a duration that is none is refused where it is written', () => {
  expect(() => Snooze({ delay: 'soon' })).toThrow('"soon" is not a duration');
});

test('an error is kept with its code and its causes', async () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const execution = await ends(async () => {
    throw Object.assign(new TypeError('fetch failed', { cause }), { code: 'fetch' });
  });
  expect(execution).toMatchObject({
    outcome: 'failed',
    error: { name: 'TypeError', message: 'fetch failed: connect ECONNREFUSED', code: 'fetch' },
  });
});

test.each([
  ['a text'],
  [undefined],
  [Object.create(null)],
  [Symbol('x')],
  [Object.assign(new Error(), { message: 1 })],
])('throwing %o, which is no proper error, fails the attempt', async (thrown) => {
  const execution = await ends(() => {
    throw thrown;
  });
  expect(execution.outcome).toBe('failed');
  expect(execution.error?.message).toMatch(/threw something that/);
});
