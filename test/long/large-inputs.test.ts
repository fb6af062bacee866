import { expect, test } from 'vitest';
import { openHistory } from '../bench/history.ts';
import { startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const SCHEDULES = 200;
const BYTES = 900_000;
/** Of the scheduler's heap, in MiB: less than the inputs are together. */
const HEAP = 160;

test(`${SCHEDULES} schedules with inputs of 900 kB fire at once, and are caught up, on a heap of ${HEAP} MiB`, async () => {
  const stack = await startStack();
  const history = openHistory(stack.postgres.url);
  try {
    await stack.start('recorder');
    // Due at once: half of them fire in time, half are caught up.
    await history.rows(
      `insert into schedule (name, definition, created_at, cursor_at, next_at)
       select 's' || n, jsonb_build_object('when', jsonb_build_object('every', 3600000), 'overlap', 'allow', 'catchUp', jsonb_build_object('all', 10),
         'job', jsonb_build_object('task', 'a', 'input', repeat('x', ${BYTES}))), at, at, at
       from (select n, date_trunc('milliseconds', clock_timestamp()) - interval '1 hour'
           - case when n % 2 = 0 then interval '1 minute' else interval '0' end as at
         from generate_series(1, ${SCHEDULES}) n) x`,
    );
    const env = { NODE_OPTIONS: `--max-old-space-size=${HEAP}` };
    const scheduler = await stack.start('scheduler', { env, eager: true });
    const published = await waitUntil(
      'every job is published',
      async () => {
        if (!stack.apps.has(scheduler)) throw new Error('the scheduler has died');
        const [row] = await history.rows<{ found: string }>(
          'select count(*) as found from job where schedule_id is not null and published',
        );
        return Number(row?.found) >= SCHEDULES && Number(row?.found);
      },
      { timeoutMs: 120_000 },
    );
    expect(published).toBe(SCHEDULES);
    expect(stack.apps.has(scheduler)).toBe(true);
  } finally {
    await history.close();
    await stack.stop();
  }
}, 300_000);
