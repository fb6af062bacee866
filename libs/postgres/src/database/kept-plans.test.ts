import { parseSearch } from '@jetbeat/core';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { countJobs } from '../jobs/count-jobs.ts';
import { conditionsOf } from '../jobs/job-filter.ts';
import { listJobs } from '../jobs/list-jobs.ts';
import { scanJobs } from '../jobs/scan-jobs.ts';
import { inside } from './database.ts';
import { openDatabase } from './open.ts';

/** Of few queues, all over the table: of a frequent one the planner takes each job for cheaper to be read than of any. */
const MANY = `insert into job (id, task, queue, priority, state, "position", attempt, run, parks, created_at, run_at, due_at, check_at,
    finished_at, published, input_known, origin)
  select uuidv7(n * interval '1 s'), 'task' || hashint4(n) % 5, 'queue' || hashint4(n + 1) % 3, 'normal',
    (array['succeeded', 'dead', 'queued'])[n % 3 + 1], 4, 1, 1, 0, now(), now(), now(), now(), now(), true, true, 'api'
  from generate_series(1, 20000) n`;

test('connections keep the plans of lists, however frequent what they list is, and compile none', async () => {
  const made = await createTestDatabase();
  const db = await openDatabase({ url: made.url, applicationName: 'plans-test', poolSize: 1 });
  try {
    await inside(db).run(MANY);
    await inside(db).run('analyze job');
    const frequent = [{}, { queue: 'queue0' }, { states: ['succeeded'] }, { task: 'task0' }] as const;
    for (let n = 0; n < 8; n++) {
      for (const filter of frequent) {
        await listJobs(db, { ...filter, limit: 50 });
        await countJobs(db, filter);
      }
      const conditions = conditionsOf({ queue: 'queue0', states: ['dead'] });
      await scanJobs(db, { conditions, most: 5 });
      // As many texts as there are numbers of alternatives: of these none is kept.
      const queues = ['queue0', 'queue1', 'queue2'].slice(0, 2 + (n % 2));
      const several = conditionsOf({ terms: parseSearch(`queue:${queues.join(',')} state:dead,queued`) });
      await scanJobs(db, { conditions: several, most: 5 });
    }
    const plans = await inside(db).rows<{ text: string; anew: number }>(
      'select statement as text, custom_plans::int as anew from pg_prepared_statements',
    );
    expect(plans).toHaveLength(2 * frequent.length + 1);
    // So many are planned anew before it is seen that this is no better.
    for (const { text, anew } of plans) expect(anew, text).toBe(5);
    expect(await inside(db).row('show jit')).toEqual({ jit: 'off' });
  } finally {
    await db.close();
    await made.drop();
  }
});
