import { defineTask, type IsolationInput } from '@jetbeat/task';

/** Returns what it was called with. */
export const note = defineTask({ name: 'call.note', run: (input) => input });

/** Succeeds. */
export const works = defineTask({ name: 'call.works', run: () => ({ made: 7 }) });

/** Fails for good. */
export const fails = defineTask({
  name: 'call.fails',
  retry: { attempts: 1 },
  run: () => {
    throw Object.assign(new Error('it is broken'), { code: 'broken' });
  },
});

/** Fails, where the configuration says what follows. */
export const configured = defineTask({
  name: 'configured.fails',
  retry: { attempts: 1 },
  onFailure: { task: note, input: { said: 'task' } },
  run: () => {
    throw new Error('no');
  },
});

/** Says itself what follows, both ways. */
export const defined = defineTask({
  name: 'call.defined',
  retry: { attempts: 1 },
  onSuccess: [{ task: note, input: { said: 'task' } }],
  onFailure: { task: note, input: { said: 'task' } },
  run: (input) => {
    if (input === 'fail') throw new Error('as it was asked to');
    return 'fine';
  },
});

/** Would go round in circles. */
export const circle = defineTask({
  name: 'call.circle',
  onSuccess: { task: 'call.circle' },
  run: (input) => input,
});

/** Takes longer than it has. */
export const slow = defineTask({
  name: 'call.slow',
  run: (ms) => new Promise<void>((resolve) => setTimeout(resolve, Number(ms))),
});

const steps = (name: string, isolation: IsolationInput) =>
  defineTask({
    name,
    isolation,
    retry: { attempts: 1 },
    async run(input, ctx) {
      for (let step = 0; step <= 40; step++) {
        ctx.progress(step, `step ${step}`);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      ctx.progress(50);
      await fetch(String(input), { signal: ctx.signal });
      ctx.progress(100, 'done');
    },
  });

/** Say how far they are: many times, then half until their input's address has answered, and in the end that they are done. */
export const inline = steps('steps.inline', 'inline');
export const thread = steps('steps.thread', 'thread');
export const process = steps('steps.process', 'process');

/** Says what is no progress. */
export const beyond = defineTask({
  name: 'steps.beyond',
  retry: { attempts: 1 },
  run: (_input, ctx) => ctx.progress(101),
});
