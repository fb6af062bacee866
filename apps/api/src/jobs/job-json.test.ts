import type { JobWithAttempts } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { jobJson } from './job-json.ts';

const job: JobWithAttempts = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  task: 'a.b',
  queue: 'default',
  priority: 'normal',
  state: 'retrying',
  order: 1,
  attempt: 2,
  run: 2,
  parks: 0,
  losses: 0,
  published: true,
  inputKnown: true,
  input: null,
  createdAt: 1_000,
  runAt: 1_000,
  dueAt: 9_000,
  origin: 'api',
  attempts: [],
};

test('a job that is retrying says when its next attempt begins, any other does not', () => {
  expect(jobJson(job)).toMatchObject({
    runAt: '1970-01-01T00:00:01.000Z',
    nextRunAt: '1970-01-01T00:00:09.000Z',
  });
  expect(jobJson({ ...job, state: 'running' })).not.toHaveProperty('nextRunAt');
});
