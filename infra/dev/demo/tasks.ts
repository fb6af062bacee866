import { defineTask } from '@jetbeat/task';
import { Type } from 'typebox';

/** Fails as often as it is told, by default twice, and then succeeds: shows retries with growing delays. */
export const flaky = defineTask({
  name: 'demo.flaky',
  input: Type.Object({ failures: Type.Optional(Type.Integer({ minimum: 0, maximum: 10 })) }),
  retry: { attempts: 4, delay: '1s', factor: 2, max: '10s' },
  run(input, ctx) {
    const failures = input.failures ?? 2;
    if (ctx.attempt <= failures) throw new Error(`attempt ${ctx.attempt} fails, as it was asked to`);
    return { succeededAt: ctx.attempt };
  },
});
