import { defineTask } from '@jetbeat/task';
import { Type } from 'typebox';

const input = Type.Object({ ms: Type.Number(), url: Type.String() });

/** Tells the ledger, and how often it has been told so. */
async function tell(url: string): Promise<number> {
  const response = await fetch(url);
  return ((await response.json()) as { hits: number }).hits;
}

/** Blocks the event loop for `ms`. */
export const block = defineTask({
  name: 'test.block',
  input,
  retry: { attempts: 1 },
  async run({ ms, url }) {
    await tell(url);
    spin(ms);
    return { blocked: ms };
  },
});

/** Blocks the event loop for `ms` the first time, and never again. */
export const blockOnce = defineTask({
  name: 'test.block-once',
  input,
  retry: { attempts: 1 },
  timeout: { hard: '2s' },
  async run({ ms, url }) {
    if ((await tell(url)) === 1) spin(ms);
    return { blocked: ms };
  },
});

/** Takes `ms` and lets the event loop turn. */
export const wait = defineTask({
  name: 'test.wait',
  input,
  async run({ ms, url }, ctx) {
    await tell(url);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      ctx.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    return { waited: ms };
  },
});

/** Takes `ms` the first time, whatever the signal says, and no time after that. */
export const stubborn = defineTask({
  name: 'test.stubborn',
  input,
  async run({ ms, url }) {
    const hits = await tell(url);
    if (hits === 1) await new Promise((resolve) => setTimeout(resolve, ms));
    return { hits };
  },
});

/** Takes `ms`, then enqueues a child. */
export const parent = defineTask({
  name: 'test.parent',
  input,
  async run({ ms, url }, ctx) {
    await tell(url);
    await new Promise((resolve) => setTimeout(resolve, ms));
    await ctx.enqueue(wait, { ms: 1, url: `${url}/child` });
    return {};
  },
});

/** Tells the ledger each time, fails as often as its input says, without a delay, and then succeeds. */
export const flaky = defineTask({
  name: 'test.flaky',
  input: Type.Object({ failures: Type.Number(), url: Type.String() }),
  retry: { attempts: 10, delay: '0ms', jitter: false },
  async run({ failures, url }, { attempt }) {
    await tell(`${url}/${attempt}`);
    if (attempt <= failures) throw new Error('it fails as it was asked to');
    return {};
  },
});

/** Returns so many bytes. */
export const bulky = defineTask({
  name: 'test.bulky',
  input: Type.Object({ bytes: Type.Number(), url: Type.String() }),
  async run({ bytes, url }) {
    await tell(url);
    return { pad: 'x'.repeat(bytes) };
  },
});

function spin(ms: number): void {
  const end = Date.now() + ms;
  while (Date.now() < end);
}
