import { join } from 'node:path';
import { type Client, connect } from '@jetbeat/client';
import type { AppProcess } from './app-process.ts';
import { type HeldRun, type HoldLedger, startHoldLedger } from './hold-ledger.ts';
import { type Stack, startStack } from './stack.ts';

/** Three workers of `hold-task.ts`, which may be killed, and an outside ledger of what they ran. */
export interface HoldCrew {
  readonly stack: Stack;
  readonly client: Client;
  readonly ledger: HoldLedger;
  /** Kills the worker that has run for the longest, as soon as all others run, and starts another one; it is ready when it is. */
  killWorker(): Promise<void>;
  /** When workers were killed, Unix milliseconds. */
  readonly killedAt: readonly number[];
  /** All runs; those of a killed worker end with it. */
  runs(): Promise<HeldRun[]>;
  /** How many jobs, of those whose names begin so, have ended. */
  finished(begins?: string): Promise<number>;
  stop(): Promise<void>;
}

const WORKERS = 3;

/** Starts servers, a recorder, the API and the workers. */
export async function startHoldCrew(params: { readonly concurrency: number }): Promise<HoldCrew> {
  const ledger = await startHoldLedger();
  const stack = await startStack();
  const env = {
    JETBEAT_TASKS: join(import.meta.dirname, 'hold-task.ts'),
    JETBEAT_CONCURRENCY: String(params.concurrency),
  };
  const workers: AppProcess[] = [];
  /** When each worker process was gone. */
  const killed = new Map<number, number>();
  await Promise.all([stack.start('recorder'), stack.start('api')]);
  const starting = Array.from({ length: WORKERS }, () => stack.start('worker', { env }));
  workers.push(...(await Promise.all(starting)));
  const client = await connect({ servers: stack.nats.url });
  return {
    stack,
    client,
    ledger,
    get killedAt() {
      return [...killed.values()];
    },
    async killWorker() {
      const worker = workers.shift();
      if (!worker) throw new Error('there is no worker to kill');
      // On a machine that starts them more slowly than they are killed there would soon be none.
      await Promise.all(workers.map((other) => other.ready()));
      const gone = worker.kill();
      // From now on it does nothing more, however late this process hears of its end.
      killed.set(worker.pid, Date.now());
      await gone;
      workers.push(await stack.start('worker', { env, eager: true }));
    },
    runs: () => ledger.runs(killed),
    async finished(begins = '') {
      const runs = await ledger.runs();
      const ended = runs.filter(({ to, name }) => Number.isFinite(to) && name.startsWith(begins));
      return new Set(ended.map(({ job }) => job)).size;
    },
    async stop() {
      await client.close();
      await stack.stop();
      await ledger.stop();
    },
  };
}
