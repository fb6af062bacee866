import { defineTask, Reject, Retry, Snooze } from '@jetbeat/task';

/** An error with a class and a code of its own. */
class GoneError extends Error {
  readonly code = 'gone';
}
class LostError extends GoneError {}

/** Says where it runs. */
export const echo = defineTask({
  name: 'flow.echo',
  queue: 'own',
  run: (_input, ctx) => ({ queue: ctx.job.queue }),
});

/** The same where the configuration says otherwise. */
export const routed = defineTask({
  name: 'routed.echo',
  queue: 'own',
  run: (_input, ctx) => ({ queue: ctx.job.queue }),
});

/** Enqueues both. */
export const parent = defineTask({
  name: 'flow.parent',
  async run(_input, ctx) {
    const children = [await ctx.enqueue(echo, 1), await ctx.enqueue(routed, 1)];
    return children.map(({ id }) => id);
  },
});

/** Fails by an error that has a class above its own, and a code. */
export const fails = defineTask({
  name: 'flow.fails',
  retry: { attempts: 3, backoff: 'fixed', delay: '10ms', noRetryOn: [GoneError] },
  run: () => {
    throw new LostError('it is gone');
  },
});

/** Says of its policy nothing; `layered.*` of the configuration does. */
export const layered = defineTask({
  name: 'layered.fails',
  retry: { attempts: 7, delay: '10ms' },
  run: () => {
    throw new Error('no');
  },
});

/** Takes as long as it is told, the first time of each job. */
export const slow = defineTask({
  name: 'flow.slow',
  async run(input, ctx) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, Number(input));
      ctx.signal.addEventListener('abort', () => clearTimeout(timer));
    });
    return 'done';
  },
});

/** Ends on purpose, in the way that it is told. */
export const onPurpose = defineTask({
  name: 'flow.on-purpose',
  retry: { attempts: 2 },
  run(input, ctx) {
    if (ctx.attempt > 1) return 'after a retry';
    if (input === 'reject') throw Reject('no such customer');
    if (input === 'retry') throw Retry({ until: new Date(Date.now() + 200), reason: 'busy' });
    if (Date.now() - ctx.job.createdAt.getTime() < 400)
      throw Snooze({ until: new Date(ctx.job.createdAt.getTime() + 400) });
    return 'after a snooze';
  },
});
