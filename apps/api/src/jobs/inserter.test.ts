import { type AuditEntry, DatabaseUnavailableError, type NewJob } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createInserter } from './inserter.ts';

const job = (id: string) => ({ envelope: { id } }) as NewJob;

function create(insert: (ids: readonly string[]) => Promise<void>, maxWaiting?: number) {
  const statements: string[][] = [];
  const insertJob = createInserter({
    insertJobs: async (jobs) => {
      const ids = jobs.map(({ envelope }) => envelope.id);
      statements.push(ids);
      await insert(ids);
      return ids.filter((id) => !id.startsWith('old'));
    },
    ...(maxWaiting === undefined ? {} : { maxWaiting }),
  });
  return { insertJob, statements };
}

test('what comes during one statement goes together in the next', async () => {
  const { insertJob, statements } = create(() => Promise.resolve());
  await Promise.all(['a', 'b', 'c'].map((id) => insertJob(job(id))));
  await insertJob(job('d'));
  expect(statements).toEqual([['a'], ['b', 'c'], ['d']]);
});

test('of a job that was written before it is said, also among new ones, and what is audited goes by itself', async () => {
  const { insertJob, statements } = create(() => Promise.resolve());
  expect(await Promise.all(['old a', 'b', 'old c'].map((id) => insertJob(job(id))))).toEqual([
    'existed',
    undefined,
    'existed',
  ]);
  const entry = {} as AuditEntry;
  const audited = await Promise.all([insertJob(job('d'), entry), insertJob(job('old e'), entry)]);
  expect(audited).toEqual([undefined, 'existed']);
  expect(statements).toEqual([['old a'], ['b', 'old c'], ['d'], ['old e']]);
});

test('a job that PostgreSQL refuses does not take its neighbours with it', async () => {
  const { insertJob } = create((ids) =>
    ids.includes('bad') ? Promise.reject(new Error('refused')) : Promise.resolve(),
  );
  const results = await Promise.allSettled(['a', 'bad', 'c'].map((id) => insertJob(job(id))));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('PostgreSQL away: nobody is tried one by one', async () => {
  const { insertJob, statements } = create(() => Promise.reject(new DatabaseUnavailableError('gone')));
  const results = await Promise.allSettled(['a', 'b', 'c'].map((id) => insertJob(job(id))));
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(statements).toEqual([['a'], ['b', 'c']]);
});

test('those who wait are bounded', async () => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { insertJob } = create(() => gate, 1);
  const first = insertJob(job('a'));
  const second = insertJob(job('b'));
  await expect(insertJob(job('c'))).rejects.toMatchObject({ code: 'overloaded', retryAfter: 1 });
  release();
  await Promise.all([first, second]);
});
