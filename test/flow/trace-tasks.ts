import { defineTask } from '@jetbeat/task';
import { context, propagation, trace } from '@opentelemetry/api';
import { Type } from 'typebox';

const tracer = trace.getTracer('test');

/** Fails twice, and makes a span of its own each time. */
export const flaky = defineTask({
  name: 'trace.flaky',
  input: Type.Object({}),
  retry: { attempts: 3, delay: '100ms', jitter: false },
  async run(_input, ctx) {
    trace.getActiveSpan()?.setAttribute('test.mark', ctx.attempt);
    await tracer.startActiveSpan('own work', async (span) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      span.end();
    });
    if (ctx.attempt < 3) throw new RangeError(`attempt ${ctx.attempt} fails`);
  },
});

/** Fails, and is not tried again. */
export const failing = defineTask({
  name: 'trace.failing',
  input: Type.Object({}),
  retry: { attempts: 1 },
  async run() {
    throw new TypeError('it cannot work');
  },
});

/** Takes so many milliseconds. */
export const slow = defineTask({
  name: 'trace.slow',
  input: Type.Object({ ms: Type.Number() }),
  async run({ ms }) {
    await new Promise((resolve) => setTimeout(resolve, ms));
  },
});

/** Enqueues another job inside of a span of its own. */
export const parent = defineTask({
  name: 'trace.parent',
  input: Type.Object({}),
  async run(_input, ctx) {
    await tracer.startActiveSpan('calling', async (span) => {
      await ctx.enqueue('system.echo', { from: 'parent' });
      span.end();
    });
  },
});

/** Makes a span of its own, says what it would hand on from there, and enqueues another job inside of it. */
const apart = (isolation: 'thread' | 'process') =>
  defineTask({
    name: `trace.${isolation}`,
    isolation,
    run: (_input, ctx) =>
      tracer.startActiveSpan('apart', { attributes: { pid: process.pid } }, async (span) => {
        const carrier: { traceparent?: string } = {};
        propagation.inject(context.active(), carrier);
        await ctx.enqueue('system.echo', { from: isolation });
        span.addEvent('enqueued');
        span.end();
        return { ...carrier, pid: process.pid };
      }),
  });

/** In a thread. */
export const thread = apart('thread');
/** In a process. */
export const child = apart('process');
