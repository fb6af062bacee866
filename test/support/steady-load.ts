import { setInterval } from 'node:timers/promises';
import type { Client, EnqueueError } from '@jetbeat/client';

/** Jobs at a steady rate, and what became of them from their caller's point of view: job id -> name. */
export interface SteadyLoad {
  /** JetStream has them. */
  readonly confirmed: ReadonlyMap<string, string>;
  /** It is not known whether it has them. */
  readonly unsure: ReadonlyMap<string, string>;
  /** It has none of them. */
  readonly refused: ReadonlyMap<string, string>;
  /** Ends it; resolves when every call was answered. */
  stop(): Promise<void>;
}

const EVERY_MS = 5;

/**
 * Enqueues jobs of `note-task.ts` at a steady rate, whatever becomes of the jobs before (open loop). Their names are the
 * numbers from 0.
 */
export function startSteadyLoad(params: { client: Client; perSecond: number; file: string }): SteadyLoad {
  const { client, perSecond, file } = params;
  const ended = new AbortController();
  const open = new Set<Promise<unknown>>();
  const sent = {
    confirmed: new Map<string, string>(),
    unsure: new Map<string, string>(),
    refused: new Map<string, string>(),
  };
  const from = performance.now();
  let next = 0;
  const one = () => {
    const name = String(next++);
    const call = client.enqueue('test.note', { file, name }).then(
      ({ id }) => void sent.confirmed.set(id, name),
      (error: EnqueueError) => void (error.maybeStored ? sent.unsure : sent.refused).set(error.id, name),
    );
    const done = call.finally(() => open.delete(done));
    open.add(done);
  };
  const run = async () => {
    for await (const _ of setInterval(EVERY_MS, undefined, { signal: ended.signal })) {
      const due = Math.floor(((performance.now() - from) * perSecond) / 1_000);
      while (next < due) one();
    }
  };
  const running = run().catch((error: unknown) => {
    if (!ended.signal.aborted) throw error;
  });
  return {
    ...sent,
    async stop() {
      ended.abort();
      await running;
      await Promise.all(open);
    },
  };
}
