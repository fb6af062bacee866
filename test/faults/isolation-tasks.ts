import { spawn } from 'node:child_process';
import { threadId } from 'node:worker_threads';
import { defineTask } from '@jetbeat/task';
import { Type } from 'typebox';

const input = Type.Object({ url: Type.String() });

/** Tells the ledger who runs this and which program runs beside it; answers how often the URL has been told. */
async function tell(url: string, child?: number): Promise<number> {
  await fetch(`${url}/who/${process.pid}/${child ?? 0}/${threadId}`);
  const response = await fetch(url);
  return ((await response.json()) as { hits: number }).hits;
}

async function spinning({ url }: { url: string }): Promise<never> {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  await tell(url, child.pid);
  for (;;);
}

/** Computes for ever in a process of its own, with a program beside it. */
export const spinProcess = defineTask({
  name: 'isolated.spin-process',
  input,
  retry: { attempts: 1 },
  isolation: 'process',
  run: spinning,
});

/** The same the first time only. */
export const spinOnce = defineTask({
  name: 'isolated.spin-once',
  input,
  isolation: 'process',
  async run({ url }, ctx) {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    const hits = await tell(url, child.pid);
    child.kill();
    if (hits === 1) for (;;);
    const job = await ctx.enqueue('isolated.pid', { url: `${url}-child` });
    return { hits, child: job.id };
  },
});

/** Computes for ever in a thread. */
export const spinThread = defineTask({
  name: 'isolated.spin-thread',
  input,
  retry: { attempts: 1 },
  isolation: 'thread',
  async run({ url }) {
    await tell(url);
    for (;;);
  },
});

/** Dies each time. */
export const segfault = defineTask({
  name: 'isolated.segfault',
  input,
  isolation: { kind: 'process', maxJobs: 100, maxMemory: '400MiB' },
  async run({ url }) {
    await tell(url);
    process.kill(process.pid, 'SIGSEGV');
    await new Promise(() => {});
  },
});

/** Takes its worker down twice, and tells then where it runs. */
export const deadly = defineTask({
  name: 'isolated.deadly',
  input,
  async run({ url }) {
    const hits = await tell(url);
    // Only a run that history knows to have begun can be known as lost; it is told of after 50 ms.
    if (hits <= 2) setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1_000);
    if (hits <= 2) await new Promise(() => {});
    return { hits, pid: process.pid, parent: process.ppid };
  },
});

/** Says where it runs. */
export const pid = defineTask({
  name: 'isolated.pid',
  input,
  run: () => ({ pid: process.pid, parent: process.ppid }),
});
