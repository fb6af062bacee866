import { join } from 'node:path';
import { getJob, listOccurrences, openDatabase } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { makeSchedule } from '../support/scheduler.ts';
import { startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const main = join(import.meta.dirname, 'mains/scheduler-dies.ts');
const SCHEDULES = 20;
const POINTS = ['plan', 'claim', 'commit', 'publish'];

test('schedulers that are killed while they plan, claim, after their commit and after their publish lose and double nothing', async () => {
  const stack = await startStack();
  const db = await openDatabase({ url: stack.env['JETBEAT_DATABASE_URL'] ?? '', applicationName: 'test' });
  try {
    // What was committed and not published is published by the recorder, so it must be there.
    const dying = await Promise.all(
      POINTS.map((point) => stack.start('scheduler', { main, env: { FAIL_POINT: point, FAIL_AT: '3' } })),
    );
    await Promise.all([stack.start('recorder'), stack.start('worker')]);
    const now = Date.now();
    const spec = {
      when: { every: 1_000 },
      overlap: 'allow',
      catchUp: { all: 1_000 },
      catchUpWindow: 3_600_000,
    } as const;
    const schedules = await Promise.all(
      Array.from({ length: SCHEDULES }, () => makeSchedule(db, spec, { now, agoMs: 1_500 })),
    );
    await waitUntil('each has died where it was to', () => dying.every((app) => !stack.apps.has(app)), {
      timeoutMs: 40_000,
    });
    const died = Date.now();
    await Promise.all([stack.start('scheduler'), stack.start('scheduler')]);
    for (const { id, createdAt } of schedules) {
      const occurrences = await waitUntil(
        'every time up to then, and one after it, has its job',
        async () => {
          const found = await listOccurrences(db, { scheduleId: id, limit: 200 });
          const ended = found.filter(({ nominalTime }) => nominalTime <= died);
          return (found[0]?.nominalTime ?? 0) > died && !ended.some(({ state }) => state === 'due') && ended;
        },
        { timeoutMs: 20_000 },
      );
      const times = occurrences.map(({ nominalTime }) => nominalTime).toReversed();
      expect(times).toEqual(times.map((_, index) => createdAt + (index + 1) * 1_000));
      for (const { state, jobId = '' } of occurrences) {
        expect(state).toBe('dispatched');
        const job = await waitUntil(
          'its job has succeeded',
          async () => {
            const found = await getJob(db, jobId);
            return found?.state === 'succeeded' && found;
          },
          { timeoutMs: 30_000 },
        );
        // Once: it was run by nobody else before.
        expect(job).toMatchObject({ attempt: 1, run: 1, losses: 0 });
      }
    }
  } finally {
    await db.close();
    await stack.stop();
  }
}, 120_000);
