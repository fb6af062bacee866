import { expect, test } from 'vitest';
import { startOwnNats } from '../../../../test/support/nats.ts';
import { inside } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { jobsStreamState } from '../streams/stream-state.ts';
import { ensureTopology } from '../streams/topology.ts';
import { toPublish } from '../testing.ts';
import type { PublishResult } from './job-to-publish.ts';
import { publishBatches } from './publish-batches.ts';

const BOUND = 5_000;
const LIMIT = 24 * 1024 ** 2;

test('with the store full every job is refused, and the next ones come through when there is room again', async () => {
  const small = await startOwnNats({ maxFile: LIMIT });
  const own = inside(await connectBus({ servers: small.url, name: 'test' }));
  try {
    await ensureTopology(own, { queues: [], ackWaitMs: 30_000, eventsMaxBytes: 1024 ** 2 });
    const input = 'x'.repeat(10_000);
    const load = () => Array.from({ length: 200 }, () => toPublish({ input }));
    let last: PublishResult | undefined;
    let stored = 0;
    for (let round = 0; round < 20 && last?.ok !== false; round++) {
      const results = await publishBatches(own, load(), BOUND);
      last = results.at(-1);
      stored += results.filter(({ ok }) => ok).length;
    }
    expect(last).toMatchObject({ ok: false, error: { code: 'storage_full' } });
    expect((await jobsStreamState(own)).messages).toBe(stored);
    await (await own.manager()).streams.purge('JOBS');
    const results = await publishBatches(own, load(), BOUND);
    expect(results.filter(({ ok }) => ok)).toHaveLength(200);
  } finally {
    await own.close();
    await small.stop();
  }
});
