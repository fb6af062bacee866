import { createHash } from 'node:crypto';
import { adoptApiKey, revokeApiKey } from '@jetbeat/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { following } from '../support/follow.ts';
import { countLateness } from '../support/lateness.ts';
import { createLiveBench, type LiveApi, type LiveBench } from '../support/live.ts';
import { newId, newJob, startedEvent } from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

let bench: LiveBench;
let api: LiveApi;
const endings: (() => Promise<void>)[] = [];

beforeAll(async () => {
  bench = await createLiveBench({ atEnd: (stop) => void endings.push(stop) });
  api = await bench.api();
}, 60_000);
afterAll(async () => {
  for (const end of endings.reverse()) await end();
});

/** Resolves when no more streams than these are open. */
async function closed(url: string, most: number): Promise<void> {
  await waitUntil(
    `${most} streams are open`,
    async () => {
      const page = await (await fetch(`${url}/metrics`)).text();
      return Number(/^jetbeat_api_streams(?:{.*?})? (\d+)$/m.exec(page)?.[1] ?? Number.NaN) <= most;
    },
    { everyMs: 20 },
  );
}

test('a key that is revoked hears nothing more within a second, nor does one that has expired', async () => {
  const revoked = await bench.key({});
  const expiring = await bench.key({ expiresAt: Date.now() + 5_000 });
  const open = (key: string) => following((options) => api.client(key).events.follow({}, options));
  const [one, two] = [await open(revoked), await open(expiring)];
  const nothing = following((options) => api.client(revoked).events.followJob(newId(), options));
  await expect(nothing).rejects.toMatchObject({ code: 'job_not_found' });
  await revokeApiKey(bench.db, { id: revoked.split('_')[1] ?? '', by: 'test' });
  const [begun, late] = [performance.now(), countLateness()];
  await closed(api.url, 1);
  expect(performance.now() - begun).toBeLessThan(1_000 + late());
  await expect(one.over).rejects.toMatchObject({ status: 401, code: 'key_revoked' });
  await expect(two.over).rejects.toMatchObject({ status: 401, code: 'key_expired' });
}, 60_000);

test('a stream ends too when its key has got another secret, and whoever comes with that one is told on', async () => {
  const open = (key: string) => following((options) => api.client(key).events.follow({}, options));
  const before = await open(bench.adminKey);
  const secret = 'n'.repeat(43);
  const hash = createHash('sha256').update(secret).digest('hex');
  const key = { id: 'first', hash, isHash: (stored: string) => stored === hash };
  expect(await adoptApiKey(bench.db, { ...key, now: Date.now() })).toMatchObject({ outcome: 'replaced' });
  await expect(before.over).rejects.toMatchObject({ status: 401, code: 'key_revoked' });
  const after = await open(`jb_first_${secret}`);
  await bench.events.publish(startedEvent(newJob({ queue: 'secrets' })));
  expect(await after.atLeast(1)).toMatchObject([{ type: 'job.running' }]);
}, 60_000);
