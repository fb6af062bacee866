import { spawn, spawnSync } from 'node:child_process';
import { threadId } from 'node:worker_threads';
import { defineTask } from '../define-task.ts';
import { Reject, Retry } from '../on-purpose.ts';

/** Who runs this, by pid and by thread. */
export const who = defineTask({
  name: 'fixture.who',
  run: () => ({ pid: process.pid, thread: threadId }),
});

/** Says that it has begun, then computes for ever. */
export const spin = defineTask({
  name: 'fixture.spin',
  run(_, ctx) {
    ctx.log.info({ pid: process.pid }, 'begun');
    for (;;);
  },
});

/** Waits for ever, whatever the signal says. */
export const stubborn = defineTask({
  name: 'fixture.stubborn',
  run(_, ctx) {
    ctx.log.info({ pid: process.pid }, 'begun');
    return new Promise<never>(() => {});
  },
});

/** Waits for the signal and ends as it says. */
export const obedient = defineTask({
  name: 'fixture.obedient',
  run: (_, ctx) =>
    new Promise((_resolve, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason));
      ctx.log.info('begun');
    }),
});

/** Starts a program that outlives its parent, tells its pid, and goes on. */
export const withChild = defineTask({
  name: 'fixture.with-child',
  run(_, ctx) {
    const { pid } = spawn('sleep', ['600'], { stdio: 'ignore' });
    ctx.log.info({ pid: process.pid, child: pid }, 'begun');
    for (;;);
  },
});

/** Dies in the way that its input names. */
export const dies = defineTask({
  name: 'fixture.dies',
  async run(input) {
    const { by } = input as { by: string };
    if (by === 'exit') process.exit(3);
    if (by === 'memory') {
      const held: unknown[] = [];
      for (;;) held.push(new Array(100_000).fill(held.length));
    }
    if (by === 'uncaught') setTimeout(() => Promise.reject(new RangeError('nobody caught this')), 1);
    else if (by === 'disconnect') process.disconnect();
    else process.kill(process.pid, by);
    await new Promise(() => {});
  },
});

class NoSuchCustomerError extends RangeError {
  override readonly name = 'NoSuchCustomerError';
  readonly code = 'no_such_customer';
}

/** Ends in the way that its input names. */
export const ends = defineTask({
  name: 'fixture.ends',
  run(input) {
    const { by } = input as { by: string };
    if (by === 'throw') throw new NoSuchCustomerError('no such customer', { cause: new Error('404') });
    if (by === 'retry') throw Retry({ delay: '7s' });
    if (by === 'reject') throw Reject('never');
    if (by === 'bigint') return 1n;
    return undefined;
  },
});

/** Uses all of the context. */
export const context = defineTask({
  name: 'fixture.context',
  async run(input, ctx) {
    ctx.log.warn({ err: new Error('seen'), input }, 'a line');
    for (let line = 0; line < 3_000; line++) ctx.log.debug(`line ${line}`);
    const child = await ctx.enqueue('other.task', { a: 1 }, { key: 'one' });
    const refused = await ctx
      .enqueue('refused.task', {})
      .catch((error: Error & { code?: string }) => ({ name: error.name, code: error.code }));
    return {
      child,
      refused,
      job: ctx.job,
      attempt: ctx.attempt,
      schedule: ctx.schedule,
      left: ctx.deadline.getTime() - Date.now(),
    };
  },
});

/** Holds so many MiB for so long as its process lives. */
const held: Buffer[] = [];
export const grows = defineTask({
  name: 'fixture.grows',
  run(input) {
    const { mebibytes } = input as { mebibytes: number };
    held.push(Buffer.alloc(mebibytes * 1024 ** 2, 1));
    return { pid: process.pid };
  },
});

/** Takes so long, waiting. */
export const waits = defineTask({
  name: 'fixture.waits',
  async run(input) {
    await new Promise((resolve) => setTimeout(resolve, (input as { ms: number }).ms));
    return { pid: process.pid };
  },
});

/** Blocks its thread inside of a system call. */
export const sleeps = defineTask({
  name: 'fixture.sleeps',
  run(_, ctx) {
    ctx.log.info({ pid: process.pid }, 'begun');
    spawnSync('sleep', ['60']);
  },
});

/** What a configured package exports: a function that makes its tasks. */
export function makeTasks({ word }: { word: string }) {
  return { tasks: [defineTask({ name: 'fixture.made', run: () => ({ word }) })] };
}
