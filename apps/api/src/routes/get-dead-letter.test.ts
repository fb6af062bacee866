import { project } from '@jetbeat/core';
import type { Problem } from '@jetbeat/core/http';
import type { DeadMessage } from '@jetbeat/jetstream';
import { type Database, listAudit, openDatabase, recordChanges } from '@jetbeat/postgres';
import { expect, onTestFinished, test } from 'vitest';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { newJob, settledEvent } from '../../../../test/support/recorder.ts';
import type { DeadPorts } from '../dead-letters/dead-ports.ts';
import { ApiError } from '../problems/problem.ts';
import { createTestServer } from '../test-server.ts';

async function openTestDatabase(): Promise<Database> {
  const made = await createTestDatabase();
  const db = await openDatabase({ url: made.url, applicationName: 'dead-letter-test' });
  onTestFinished(async () => {
    await db.close();
    await made.drop();
  });
  return db;
}

test('a letter whose message could not be taken away is thrown away by the repeat, also for who may only do so in its queue', async () => {
  const db = await openTestDatabase();
  const job = newJob({ queue: 'mail' });
  const next = { state: 'dead', reason: { code: 'rejected', text: 'no' } } as const;
  const events = [settledEvent(job, { outcome: 'rejected', next })];
  await recordChanges(db, { changes: project(events), workers: [], now: Date.now() });
  let isAway = true;
  const removed: number[] = [];
  const dead: Partial<DeadPorts> = {
    ofJob: async () => (removed.length > 0 ? undefined : ({ seq: 7 } as DeadMessage)),
    async remove(seq) {
      if (isAway) throw new ApiError('messaging_unavailable', 'NATS does not answer');
      removed.push(seq);
      return true;
    },
  };
  const server = await createTestServer({ db, dead: dead as DeadPorts });
  onTestFinished(() => server.app.close());
  const call = (method: string) =>
    server.call<Problem | undefined>(`${method} /dead-letters/${job.id}`, undefined, {
      authorization: `Bearer jb_operatorMail_${'s'.repeat(43)}`,
    });
  expect((await call('DELETE')).status).toBe(503);
  expect((await call('GET')).status).toBe(404);
  isAway = false;
  expect((await call('DELETE')).status).toBe(204);
  expect(removed).toEqual([7]);
  expect((await call('DELETE')).status).toBe(404);
  const audit = await listAudit(db, { target: { kind: 'dead-letter', id: job.id }, limit: 9 });
  expect(audit.map(({ action }) => action)).toEqual(['dead-letter.discard']);
});
