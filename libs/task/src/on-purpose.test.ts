import { InvalidInputError } from '@jetbeat/core';
import { expect, test } from 'vitest';
import { defineTask } from './define-task.ts';
import { Cancel, Reject, Retry, Snooze } from './on-purpose.ts';
import { runTask } from './testing.ts';

const run = (error: () => unknown) =>
  runTask(
    defineTask({
      name: 'a',
      run() {
        throw error();
      },
    }),
    null,
  );
const noon = new Date('2026-01-01T12:00:00Z');

test('a delay, a time, or neither; the reason and the cause are told', async () => {
  expect(await run(() => Retry())).toMatchObject({
    outcome: 'failed',
    error: { name: 'Retry', code: 'retry' },
  });
  expect(await run(() => Retry({ delay: '5s', reason: 'busy' }))).toMatchObject({
    outcome: 'failed',
    delay: 5_000,
    error: { message: 'busy' },
  });
  expect(await run(() => Retry({ until: noon }))).toMatchObject({ outcome: 'failed', until: noon.getTime() });
  expect(await run(() => Snooze({ delay: '1h' }))).toMatchObject({ outcome: 'snoozed', delay: 3_600_000 });
  expect(await run(() => Snooze({ until: noon, cause: new Error('why') }))).toMatchObject({
    outcome: 'snoozed',
    until: noon.getTime(),
    error: { message: 'the handler asked to run later: why' },
  });
  expect(await run(() => Reject('no such customer', { code: 'gone' }))).toMatchObject({
    outcome: 'rejected',
    error: { code: 'gone', message: 'no such customer' },
  });
  expect(await run(() => Cancel('enough'))).toMatchObject({
    outcome: 'cancelled',
    error: { message: 'enough' },
  });
});

test.each<[string, () => unknown, string, string?]>([
  ['a slip of the pen', () => Retry({ dely: '5s' } as object), '/dely', 'delay'],
  ['a delay that is none', () => Retry({ delay: 'soon' }), '/delay'],
  ['both', () => Snooze({ delay: '1s', until: noon } as never), '/delay'],
  ['neither', () => Snooze({} as never), '/delay'],
  ['a time that is none', () => Snooze({ until: new Date(Number.NaN) }), '/until'],
  ['a text for a time', () => Snooze({ until: '2026-01-01' } as never), '/until'],
  ['a time too far ahead', () => Snooze({ until: new Date(Date.now() + 3_651 * 86_400_000) }), '/until'],
])('%s is refused', (_, make, pointer, suggestion) => {
  expect(make).toThrow(InvalidInputError);
  try {
    make();
  } catch (error) {
    const { issues } = error as InvalidInputError;
    expect(issues).toMatchObject([{ pointer, ...(suggestion === undefined ? {} : { suggestion }) }]);
  }
});
