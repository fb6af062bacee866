import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineTask } from '@jetbeat/task';
import { Type } from 'typebox';

const HoldInput = Type.Object({
  file: Type.String(),
  name: Type.String(),
  ms: Type.Number(),
  deaf: Type.Optional(Type.Boolean()),
});

/** Holds something for a while, and writes when it began and ended into a ledger that is outside of the system. */
export const hold = defineTask({
  name: 'test.hold',
  input: HoldInput,
  retry: { attempts: 20, delay: '10ms', backoff: 'fixed' },
  async run({ file, name, ms, deaf }, ctx) {
    const line = (what: string) =>
      appendFileSync(file, `${what} ${name} ${ctx.job.id} ${process.pid} ${Date.now()}\n`);
    line('begin');
    try {
      await pause(ms, undefined, deaf ? {} : { signal: ctx.signal });
    } finally {
      line('end');
    }
  },
});

/** Writes down that it ran, and fails. */
export const fails = defineTask({
  name: 'test.hold.fails',
  input: Type.Object({ file: Type.String(), name: Type.String() }),
  async run({ file, name }, ctx) {
    const line = (what: string) =>
      appendFileSync(file, `${what} ${name} ${ctx.job.id} ${process.pid} ${Date.now()}\n`);
    line('begin');
    await pause(1);
    line('end');
    throw new Error('as it should');
  },
});

/** Enqueues one `hold` with a key, and says which. */
export const parentOf = defineTask({
  name: 'test.hold.parent',
  input: Type.Object({
    child: HoldInput,
    concurrencyKey: Type.Object({ key: Type.String(), limit: Type.Number() }),
  }),
  async run({ child, concurrencyKey }, ctx) {
    const { id } = await ctx.enqueue(hold, child, { concurrencyKey });
    return id;
  },
});
