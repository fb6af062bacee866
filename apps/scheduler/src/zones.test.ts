import { openDatabase } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { openHistory } from '../../../test/bench/history.ts';
import { createTestDatabase } from '../../../test/support/database.ts';
import { testNamespace } from '../../../test/support/namespaces.ts';
import { makeSchedule, startScheduler } from '../../../test/support/scheduler.ts';

test('a scheduler with newer zone data than those before it works out the next times anew', async () => {
  const { url, drop } = await createTestDatabase();
  const db = await openDatabase({ url, applicationName: 'zones-test' });
  const history = openHistory(url);
  const now = Date.now();
  const when = { cron: '0 3 * * *' };
  const { name } = await makeSchedule(db, { when, timeZone: 'Europe/Paris' }, { now });
  // By the rules of before, so it was thought, it came in a year.
  await history.rows(`update schedule set next_at = now() + interval '1 year' where name = ?`, [name]);
  const scheduler = await startScheduler({ namespace: testNamespace(), databaseUrl: url });
  try {
    await scheduler.ready();
    const soon = `select from schedule where next_at between now() and now() + interval '26 hours'`;
    await expect.poll(async () => (await history.rows(soon)).length).toBe(1);
  } finally {
    await scheduler.stop();
    await history.close();
    await db.close();
    await drop();
  }
});
