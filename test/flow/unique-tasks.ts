import { defineTask, Snooze } from '@jetbeat/task';

/** Runs until the test lets it go; fails, or snoozes, as often as it is told. */
export const hold = defineTask({
  name: 'unique.hold',
  retry: { attempts: 3, backoff: 'fixed', delay: '10ms' },
  async run(input: unknown, ctx) {
    const { gate, failures = 0, snooze } = input as { gate: string; failures?: number; snooze?: string };
    await fetch(gate, { signal: ctx.signal });
    if (snooze !== undefined) throw Snooze({ delay: snooze });
    if (ctx.attempt <= failures) throw new Error('not yet');
    return input;
  },
});

/** Enqueues what holds, with the key that it is told. */
export const parent = defineTask({
  name: 'unique.parent',
  async run(input: unknown, ctx) {
    const { gate, uniqueKey } = input as { gate: string; uniqueKey: string };
    const { id, created } = await ctx.enqueue(hold, { gate }, { uniqueKey });
    return { id, created };
  },
});
