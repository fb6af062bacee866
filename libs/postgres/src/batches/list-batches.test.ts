import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, inside } from '../database/database.ts';
import { toJson } from '../database/json.ts';
import { newId } from '../database/sample.ts';
import { type BatchSamples, LATER, sampleBatches } from './batch-samples.ts';
import { getBatch } from './batches.ts';
import { listBatches } from './list-batches.ts';

let db: Database;
let batch: BatchSamples['batch'];
let stop: (() => Promise<void>) | undefined;
beforeAll(async () => {
  ({ db, batch, stop } = await sampleBatches('list-batches-test'));
});
afterAll(() => stop?.());

test('in a list what is large of a batch is left out, and named; by itself it is whole', async () => {
  const ids = Array.from({ length: 1_000 }, () => newId(LATER));
  const make = async (of: readonly string[], failed: number, after: number) => {
    const made = await batch('a.large', { filter: { ids: of }, now: LATER + after });
    const failures = ids.slice(0, failed).map((jobId) => ({ jobId, code: 'x', message: 'y' }));
    await inside(db).run('update batch set failures = $2::jsonb where id = $1', [made?.id, toJson(failures)]);
    return made?.id ?? '';
  };
  const large = await make(ids, 100, 10_000);
  const small = await make(ids.slice(0, 20), 5, 10_001);
  const [second, first] = await listBatches(db, { limit: 2 });
  expect(first).toMatchObject({ id: large, cut: ['ids', 'failures'], filter: { task: 'a.large' } });
  expect([first?.filter.ids, first?.failures.length]).toEqual([undefined, 5]);
  expect(second).toMatchObject({ id: small, cut: [] });
  expect([second?.filter.ids?.length, second?.failures.length]).toEqual([20, 5]);
  const whole = await getBatch(db, large);
  expect([whole?.filter.ids?.length, whole?.failures.length, whole?.cut]).toEqual([1_000, 100, undefined]);
});
