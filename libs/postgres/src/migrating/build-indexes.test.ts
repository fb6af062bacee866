import { expect, onTestFinished, test } from 'vitest';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { inside } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import type { Sql } from '../database/sql.ts';
import { historyIndexes } from '../migrations/history-indexes.ts';
import { LOCK_TIMES } from './apply-migration.ts';
import { buildIndexes } from './build-indexes.ts';

/** A history whose newest index is missing; `rows` may come between who builds it and the database. */
async function missing(rows: (sql: Sql) => Sql['rows']) {
  const { url, drop } = await createTestDatabase();
  const db = await openDatabase({ url, applicationName: 'build-indexes-test' });
  onTestFinished(async () => {
    await db.close();
    await drop();
  });
  const index = historyIndexes[0];
  if (!index) throw new Error('history has no index');
  await inside(db).run(`drop index ${index.name}`);
  const told: unknown[] = [];
  const log = { info: (data: object) => void told.push(data), warn() {} };
  const build = () =>
    inside(db).session(
      (sql) =>
        buildIndexes({
          db,
          log,
          times: LOCK_TIMES,
          buildWaitMs: 5_000,
          sql: { ...sql, rows: rows(sql) },
        }),
      { answerMs: 20_000 },
    );
  const isValid = async () =>
    (
      await inside(db).row<{ valid: boolean }>(
        'select indisvalid as valid from pg_index where indexrelid = to_regclass($1)',
        [index.name],
      )
    )?.valid;
  return { build, isValid, told, index };
}

test.each([null, false, true])(
  'a partition that goes before its index is built, which was %o, holds up nothing',
  async (built) => {
    let looked = 0;
    const { build, isValid, told, index } = await missing(
      (sql) =>
        async <Row>(text: string, values?: readonly unknown[]) => {
          const rows = await sql.rows<Row>(text, values);
          return looked++ === 0 ? [{ leaf: 'job_20200101', attached: false, built } as Row, ...rows] : rows;
        },
    );
    await build();
    expect(await isValid()).toBe(true);
    expect(told).toContainEqual({ index: index.name, partition: 'job_20200101' });
  },
);

test('what cannot be built although its partition is there is an error', async () => {
  const { build, isValid } = await missing(
    (sql) =>
      async <Row>(text: string, values?: readonly unknown[]) => {
        const rows = await sql.rows<Row>(text, values);
        return rows.map((row) => ({ ...row, built: true }));
      },
  );
  await expect(build()).rejects.toThrow(/does not exist/);
  expect(await isValid()).toBe(false);
});
