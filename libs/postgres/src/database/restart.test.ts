import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@jetbeat/infra/dev';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getJob, insertJobs } from '../jobs/jobs.ts';
import { migrate } from '../migrating/migrate.ts';
import { getSchedule } from '../schedules/schedules.ts';
import { inside } from './database.ts';
import { openDatabase } from './open.ts';
import { sampleJob } from './sample.ts';

let dir: string;
let postgres: PostgresServer;
const log = () => {};
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-'));
  postgres = await startPostgres({ dir: join(dir, 'postgres'), log });
});
afterAll(async () => {
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});

test('after kill -9 and a new start of PostgreSQL the same handle works again, with what was committed', async () => {
  const db = await openDatabase({ url: postgres.url, applicationName: 'restart-test' });
  await migrate(db);
  const job = sampleJob();
  await insertJobs(db, [job]);
  const running = inside(db).run('select pg_sleep(10)');
  const failed = expect(running).rejects.toMatchObject({ code: 'database_unavailable' });
  await expect.poll(() => asleep()).toBe(true);

  postgres.kill();
  await postgres.exited;
  await failed;
  await expect(getJob(db, job.envelope.id)).rejects.toMatchObject({ code: 'database_unavailable' });
  await expect(getSchedule(db, 'x')).rejects.toMatchObject({ code: 'database_unavailable' });

  postgres = await startPostgres({ dir: join(dir, 'postgres'), port: postgres.port, log });
  expect(await getJob(db, job.envelope.id)).toMatchObject({ state: 'queued' });
  expect(await getSchedule(db, 'x')).toBeUndefined();
  await db.close();

  async function asleep() {
    const row = await inside(db).row(
      `select 1 from pg_stat_activity where query like '%pg_sleep(10)%' and pid <> pg_backend_pid()`,
    );
    return row !== undefined;
  }
});
