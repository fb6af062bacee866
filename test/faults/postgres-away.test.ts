import { expect, test } from 'vitest';
import { postgresAway } from '../support/postgres-away.ts';

/** `npm run test:long` does the same for ten minutes, at twice the rate. */
const AWAY_S = 20;

test('PostgreSQL is away for some time: jobs run on, nobody collects them in memory, history catches up', async () => {
  const outage = await postgresAway({ awayMs: AWAY_S * 1_000, perSecond: 500 });
  expect(outage.enqueued).toBeGreaterThan(AWAY_S * 500);
  // Room for a machine that is busy with other tests.
  expect(outage.waiting).toBeLessThan(outage.enqueued / 2);
  expect(outage.states).toEqual({ succeeded: outage.enqueued });
  expect(outage.wrong).toEqual([]);
  expect(outage.worker.most - outage.worker.before).toBeLessThan(300);
  expect(outage.recorder.most - outage.recorder.before).toBeLessThan(300);
}, 180_000);
