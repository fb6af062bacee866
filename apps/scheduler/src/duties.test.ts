import { createLog } from '@jetbeat/runtime';
import { expect, onTestFinished, test } from 'vitest';
import { createTestDatabase, onServer } from '../../../test/support/database.ts';
import { createRecorderBench } from '../../../test/support/recorder.ts';
import { waitUntil } from '../../../test/support/wait-until.ts';
import { createDuties } from './duties.ts';

const DAY_MS = 86_400_000;
/** More than one step takes away. */
const MANY = 1_500;

test('sessions that are over for 30 days are forgotten, step by step, and links that nobody followed; nothing else', async () => {
  const made = await createTestDatabase();
  onTestFinished(() => made.drop());
  const { bus, db } = await createRecorderBench({ database: made.url });
  await onServer(made.url, async (run) => {
    const begun = (id: string, expiresIn: number, endedIn: number | null = null) =>
      run(
        `insert into session (id, token_hash, began_by, name, role, payloads, idle_seconds, created_at, seen_at, expires_at, ended_at)
         values (?, ?, 'oidc', 'Ann', 'viewer', true, 60, now() - interval '90 days', now() - interval '90 days',
           now() + make_interval(days => ?), now() + make_interval(days => ?))`,
        [id, id, expiresIn, endedIn],
      );
    await begun('expired', -31);
    await begun('ended', 7, -31);
    await begun('expired lately', -29);
    await begun('ended lately', -40, -29);
    await begun('idle', 7);
    await run(
      `insert into session (id, token_hash, began_by, name, role, payloads, idle_seconds, expires_at)
       select 'many' || n, 'many' || n, 'key', 'K', 'viewer', true, 60, now() - interval '60 days' from generate_series(1, ?) n`,
      [MANY],
    );
    await run(
      `insert into session_link (code_hash, name, role, payloads, expires_at)
       select 'in ' || d || ' minutes', 'L', 'viewer', true, now() + make_interval(mins => d) from unnest(array[-1, 10]) d`,
    );
    const left = async () => {
      const rows = await run(
        'select id from session union all select code_hash from session_link order by 1',
      );
      return rows.flatMap((row) => Object.values(row));
    };
    expect(await left()).toHaveLength(MANY + 7);

    const log = createLog({ app: 'scheduler', level: 'fatal' });
    const duties = createDuties({ bus, db, log, keep: { occurrences: DAY_MS, audit: DAY_MS } });
    duties.start();
    await waitUntil('they are gone', async () => (await left()).length <= 4).finally(() => duties.stop());
    expect(await left()).toEqual(['ended lately', 'expired lately', 'idle', 'in 10 minutes']);
  });
});
