import { expect, test } from 'vitest';
import { postgresAway } from '../support/postgres-away.ts';

/** How long PostgreSQL is away, in seconds. */
const AWAY_S = Number(process.env['PG_AWAY_S'] ?? 600);

test(`PostgreSQL is away for ${AWAY_S} s at 1,000 jobs/s: jobs run on, history catches up`, async () => {
  const outage = await postgresAway({ awayMs: AWAY_S * 1_000, perSecond: 1_000 });
  console.info(JSON.stringify(outage));
  expect(outage.enqueued).toBeGreaterThan(AWAY_S * 1_000);
  expect(outage.waiting).toBeLessThan(5_000);
  expect(outage.states).toEqual({ succeeded: outage.enqueued });
  expect(outage.wrong).toEqual([]);
  expect(outage.worker.most - outage.worker.before).toBeLessThan(300);
  expect(outage.recorder.most - outage.recorder.before).toBeLessThan(300);
}, 1_800_000);
