import { DatabaseUnavailableError } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { ApiError } from '../problems/problem.ts';
import { actOnEach } from './act-on-each.ts';

const ids = Array.from({ length: 40 }, (_, n) => `job-${n}`);
const act = (fail: (n: number) => unknown, tries = 0) =>
  actOnEach({
    ids,
    tries,
    async act(id) {
      const error = fail(Number(id.slice(4)));
      if (error) throw error;
      return true;
    },
  });

test('what is done, what had gone on and what failed are told apart', async () => {
  const outcome = await act((n) => {
    if (n < 3) return new ApiError('job_ended', 'it is over');
    return n === 7 ? new Error('a bug') : undefined;
  });
  expect(outcome).toMatchObject({ done: 36, skipped: 3, left: [] });
  expect(outcome.failures).toEqual([
    { jobId: 'job-7', code: 'internal_error', message: expect.stringContaining('log') },
  ]);
  const nothing = await actOnEach({ ids, tries: 0, act: async () => false });
  expect(nothing).toMatchObject({ done: 0, skipped: 40 });
});

test('what holds up all of them is waited for, and the rest is not tried', async () => {
  for (const error of [
    new DatabaseUnavailableError('gone'),
    new ApiError('messaging_unavailable', 'NATS does not answer'),
  ]) {
    let tried = 0;
    const outcome = await act(() => {
      tried += 1;
      return error;
    }, 100);
    expect(tried).toBeLessThanOrEqual(16);
    expect(outcome).toMatchObject({ done: 0, skipped: 0, failures: [] });
    expect([...outcome.left].sort()).toEqual([...ids].sort());
    expect(outcome.waitingFor).toBeTruthy();
  }
});

test('what cannot be known of one job is tried some times, then it has failed', async () => {
  const silent = (n: number) => (n === 5 ? new ApiError('workers_silent', 'no answer') : undefined);
  expect(await act(silent, 4)).toMatchObject({ done: 39, left: ['job-5'], failures: [] });
  expect(await act(silent, 5)).toMatchObject({
    done: 39,
    left: [],
    failures: [{ jobId: 'job-5', code: 'workers_silent', message: 'no answer' }],
  });
});
