import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineTask, type TaskDefinition } from '@jetbeat/task';
import { Type } from 'typebox';

const Input = Type.Object({
  file: Type.String(),
  name: Type.String(),
  ms: Type.Number(),
  host: Type.Optional(Type.String()),
});
type Definition = TaskDefinition<typeof Input, void>;

/** Like `hold`: writes when it began and ended into a ledger that is outside of the system. */
const paced = (own: Omit<Definition, 'input' | 'run'>) =>
  defineTask({
    ...own,
    input: Input,
    async run({ file, name, ms }, ctx) {
      const line = (what: string) =>
        appendFileSync(file, `${what} ${name} ${ctx.job.id} ${process.pid} ${Date.now()}\n`);
      line('begin');
      try {
        await pause(ms, undefined, { signal: ctx.signal });
      } finally {
        line('end');
      }
    },
  });

/** 10 in a second, 2 of them at once. */
export const mail = paced({ name: 'paced.mail', rateLimit: { limit: 10, period: '1s', burst: 2 } });
/** 60 in a second. */
export const quick = paced({ name: 'paced.quick', rateLimit: { limit: 60, period: '1s' } });
/** One snapshot of a host at a time, and five in a second. */
export const snapshot = paced({
  name: 'paced.snapshot',
  concurrencyKey: 'host-{input.host}',
  rateLimit: { limit: 5, period: '1s', per: 'key' },
});
/** Three of them at once, over all workers. */
export const few = paced({ name: 'paced.few', concurrencyKey: { key: 'paced.few', limit: 3 } });
/** It says nothing itself: its configuration or its queue does. */
export const plain = paced({ name: 'paced.plain' });
