import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, Reject } from '@jetbeat/task';
import { Type } from 'typebox';

/** Tasks for the tests of what can be asked of a job; each run says in a file that it begins. */
const noted = Type.Object({
  file: Type.String(),
  name: Type.String(),
  ms: Type.Optional(Type.Integer()),
  gate: Type.Optional(Type.String()),
  end: Type.Optional(Type.Enum(['obey', 'well', 'fail', 'ignore'] as const)),
});
type Noted = {
  file: string;
  name: string;
  ms?: number;
  gate?: string;
  end?: 'obey' | 'well' | 'fail' | 'ignore';
};

async function note({ file, name }: Noted, what: string): Promise<void> {
  await appendFile(file, `${JSON.stringify({ name, what, at: Date.now() })}\n`);
}

/** Waits for so long, or until an address has answered; once it is told to stop it says when, and ends as it was asked to. */
async function waits(input: Noted, signal: AbortSignal): Promise<string> {
  await note(input, 'begun');
  const told = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => told.resolve());
  if (signal.aborted) told.resolve();
  const over =
    input.gate === undefined ? sleep(input.ms ?? 60_000, false) : fetch(input.gate).then(() => false);
  const stopped = await Promise.race([over, told.promise.then(() => true)]);
  if (!stopped) return 'waited';
  await note(input, 'told');
  if (input.end === 'well') return 'done all the same';
  if (input.end === 'fail') throw new Error('it failed on the way');
  if (input.end === 'ignore') await sleep(60_000);
  throw signal.reason;
}

/** In the worker's own thread. */
export const inline = defineTask({
  name: 'jobs.inline',
  input: noted,
  retry: { attempts: 3, delay: '100ms', backoff: 'fixed' },
  run: (input, ctx) => waits(input as Noted, ctx.signal),
});
/** In a thread. */
export const thread = defineTask({
  name: 'jobs.thread',
  isolation: 'thread',
  run: (input, ctx) => waits(input as Noted, ctx.signal),
});
/** In a process. */
export const child = defineTask({
  name: 'jobs.process',
  isolation: 'process',
  run: (input, ctx) => waits(input as Noted, ctx.signal),
});

/** Says what it was given. */
export const echo = defineTask({
  name: 'jobs.echo',
  input: Type.Object({ value: Type.Integer() }),
  run: ({ value }) => ({ value }),
});
/** Dies at once. */
export const dies = defineTask({
  name: 'jobs.dies',
  run(input) {
    if (input === 'well') return 'well';
    throw Reject('no such customer', { code: 'no_customer' });
  },
});
/** Fails, and would be tried again in an hour; then it succeeds. */
export const later = defineTask({
  name: 'jobs.later',
  retry: { attempts: 2, delay: '1h', backoff: 'fixed' },
  run(_input, ctx) {
    if (ctx.attempt === 1) throw new Error('not yet');
    return 'now';
  },
});
/** Fails, and succeeds when it is tried again. */
export const again = defineTask({
  name: 'jobs.again',
  run(_input, ctx) {
    if (ctx.attempt === 1) throw new Error('not yet');
    return `attempt ${ctx.attempt}`;
  },
});
/** Says so many letters. */
export const long = defineTask({
  name: 'jobs.long',
  input: Type.Object({ length: Type.Integer() }),
  run: ({ length }) => 'x'.repeat(length),
});
/** Says which process it runs in. */
export const where = defineTask({ name: 'jobs.where', run: () => process.pid });
/** The same, where the configuration says otherwise. */
export const whereApart = defineTask({ name: 'apart.where', run: () => process.pid });
