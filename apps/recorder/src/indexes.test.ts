import { expect, onTestFinished, test, vi } from 'vitest';
import { createTestDatabase, onServer } from '../../../test/support/database.ts';
import { createRecorderBench } from '../../../test/support/recorder.ts';

test('an index of history that is missing is built while the recorder goes on', async () => {
  const { url, drop } = await createTestDatabase();
  onTestFinished(drop);
  const bench = await createRecorderBench({ database: url });
  await bench.start({ times: { partitionEveryMs: 1_000 } });
  // What the recorder does meanwhile may come in its way.
  await vi.waitFor(() => onServer(url, (run) => run('drop index job_retry_of')), { timeout: 15_000 });
  const isBuilt = async () => {
    const [found] = await onServer(url, (run) =>
      run(`select indisvalid::text as hash from pg_index where indexrelid = to_regclass('job_retry_of')`),
    );
    return found?.hash;
  };
  await expect.poll(isBuilt, { timeout: 15_000 }).toBe('true');
});
