import { join } from 'node:path';
import type { ToldWorkers } from './told-workers.ts';
import { waitUntil } from './wait-until.ts';

/** A worker with one slot runs one job, and of the others some wait in it. */
interface Waits {
  readonly own: string;
  readonly others: readonly string[];
  /** Where the first one is held back; the others are at `<gate>-later`. */
  readonly gate: string;
}

const TRIES = 6;
const SOON_MS = 2_000;

/** Has jobs wait in a worker. Where the machine took its time over the short ones before, it holds none in advance, and is tried anew. */
export async function waitIn(
  workers: ToldWorkers,
  params: {
    readonly id: string;
    readonly name: string;
    readonly count: number;
    readonly queue?: string;
  },
): Promise<Waits> {
  const { gates, get, holds, ranAt } = workers;
  const { id, name, count, queue = 'default' } = params;
  for (let tries = 1; ; tries++) {
    const gate = `${name}-${tries}`;
    await hurry(workers);
    const [own = ''] = await holds(gate, 1, queue);
    await gates.until(`/${gate}`, 1);
    const others = await holds(`${gate}-later`, count, queue);
    const some = waitUntil('some wait in it', async () => ((await get(id)).held ?? 0) > 1, {
      timeoutMs: SOON_MS,
    });
    const isWaiting = await some.catch((error: unknown) => {
      if (tries === TRIES) throw error;
    });
    if (isWaiting) return { own, others, gate };
    for (const path of [`/${gate}`, `/${gate}-later`]) gates.open(path);
    for (const job of [own, ...others]) await ranAt(job);
  }
}

/** Runs short jobs: after these a worker holds more than it has slots for. */
async function hurry({ dir, http }: ToldWorkers): Promise<void> {
  const ids = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      http.post({ task: 'test.stamp', input: { file: join(dir, 'short'), name: `${n}`, ms: 0 } }),
    ),
  );
  await Promise.all(ids.map((id) => http.jobIn(id, ['succeeded'])));
}
