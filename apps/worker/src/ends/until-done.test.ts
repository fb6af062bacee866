import { expect, test } from 'vitest';
import { untilDone } from './until-done.ts';

test('it repeats until it is done and tells of every failure', async () => {
  let calls = 0;
  const failures: unknown[] = [];
  const act = async () => {
    if (++calls < 3) throw new Error(`failure ${calls}`);
    return 'done';
  };
  const signal = new AbortController().signal;
  expect(await untilDone({ act, signal, onRetry: (error) => failures.push(error) })).toBe('done');
  expect(failures).toHaveLength(2);
});

test('an abort ends the waiting with the last error', async () => {
  const stop = new AbortController();
  const act = async () => {
    throw new Error('away');
  };
  const waiting = untilDone({ act, signal: stop.signal, onRetry: () => stop.abort() });
  await expect(waiting).rejects.toThrow('away');
});
