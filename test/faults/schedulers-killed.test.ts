import { join } from 'node:path';
import { getJob, listOccurrences, openDatabase } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { startFileLedger } from '../support/file-ledger.ts';
import { makeSchedule } from '../support/scheduler.ts';
import { startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const main = join(import.meta.dirname, 'mains/scheduler-dies.ts');
const tasks = join(import.meta.dirname, '../support/note-task.ts');
const SCHEDULES = 20;
const POINTS = ['plan', 'fire', 'claim', 'commit', 'publish'];

test('schedulers that are killed while they plan, claim, after their commit and after their publish lose and double nothing', async () => {
  // What ran is counted by the handlers themselves, which nothing under test can change afterwards.
  const ledger = await startFileLedger();
  const stack = await startStack({ env: { JETBEAT_TASKS: tasks } });
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
      job: { task: 'test.note-time', input: { file: ledger.file } },
    } as const;
    // Every other one is dispatched a moment after it was planned, and so claimed by itself.
    const schedules = await Promise.all(
      Array.from({ length: SCHEDULES }, (_, index) =>
        makeSchedule(db, index % 2 === 0 ? spec : { ...spec, jitter: 300 }, { now, agoMs: 1_500 }),
      ),
    );
    await waitUntil('each has died where it was to', () => dying.every((app) => !stack.apps.has(app)), {
      timeoutMs: 40_000,
    });
    const died = Date.now();
    await Promise.all([stack.start('scheduler'), stack.start('scheduler')]);
    for (const { id, name, createdAt } of schedules) {
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
        await waitUntil(
          'its job has succeeded',
          async () => (await getJob(db, jobId))?.state === 'succeeded',
          { timeoutMs: 30_000 },
        );
      }
      // Once: none was run by somebody else before, or after.
      const runs = await ledger.read();
      expect(times.map((time) => runs.get(`${name} ${time}`))).toEqual(times.map(() => 1));
    }
  } finally {
    await db.close();
    await stack.stop();
    await ledger.stop();
  }
}, 120_000);
