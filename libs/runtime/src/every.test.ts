import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { every } from './every.ts';

const log = { warn: () => {} };

/** Calls `pass` with the number of the pass; `reached(n)` resolves when pass n begins. */
function counted(pass: (n: number, signal: AbortSignal) => Promise<unknown>) {
  const waiting = new Map<number, () => void>();
  let n = 0;
  return {
    pass: (signal: AbortSignal) => {
      n += 1;
      waiting.get(n)?.();
      return pass(n, signal);
    },
    reached: (wanted: number) =>
      n >= wanted ? Promise.resolve() : new Promise<void>((resolve) => waiting.set(wanted, resolve)),
    get count() {
      return n;
    },
  };
}

test('passes follow each other, and never overlap', async () => {
  let running = 0;
  let most = 0;
  const passes = counted(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
  });
  const loop = every({ name: 'p', intervalMs: 1, pass: passes.pass, log });
  loop.start();
  await passes.reached(5);
  await loop.stop();
  expect(most).toBe(1);
  expect(loop.lastOk).toBeGreaterThan(0);
});

test('a poke brings the next pass at once, also during a pass', async () => {
  let inPass: (() => void) | undefined;
  const passes = counted((n) =>
    n === 2 ? new Promise<void>((resolve) => (inPass = resolve)) : Promise.resolve(),
  );
  const loop = every({ name: 'p', intervalMs: 3_600_000, pass: passes.pass, log });
  loop.start();
  await passes.reached(1);
  await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  loop.poke();
  await passes.reached(2);
  loop.poke();
  inPass?.();
  await passes.reached(3);
  await loop.stop();
  expect(passes.count).toBe(3);
});

test('a pass may ask for the next one sooner', async () => {
  const passes = counted(async () => 0);
  const loop = every({ name: 'p', intervalMs: 3_600_000, pass: passes.pass, log });
  loop.start();
  await passes.reached(3);
  await loop.stop();
});

test('errors are survived, told, and forgotten after a success', async () => {
  const told: object[] = [];
  const looked = Promise.withResolvers<void>();
  const passes = counted(async (n) => {
    if (n === 1) throw new Error('away');
    await looked.promise;
  });
  const loop = every({
    name: 'p',
    intervalMs: 1,
    maxBackoffMs: 5,
    pass: passes.pass,
    log: { warn: (o: object) => void told.push(o) },
  });
  loop.start();
  await passes.reached(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(loop.lastError).toBe('away');
  looked.resolve();
  await passes.reached(3);
  await loop.stop();
  expect(loop.lastError).toBeUndefined();
  expect(told).toMatchObject([{ pass: 'p', failures: 1 }]);
});

test('a pass that takes too long is aborted, and stop waits for it', async () => {
  const seen: string[] = [];
  const passes = counted(
    (_, signal) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          seen.push('aborted');
          resolve();
        });
      }),
  );
  const loop = every({ name: 'p', intervalMs: 1, passTimeoutMs: 10, pass: passes.pass, log });
  loop.start();
  await passes.reached(2);
  await loop.stop();
  await loop.stop();
  expect(seen).toEqual(['aborted', 'aborted']);
});

test('a pass is in the context in which the loop was made, whoever pokes, also during a pass', async () => {
  const asker = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const passes = counted(async (n) => {
    seen.push(asker.getStore());
    if (n === 2) asker.run('another', () => loop.poke());
  });
  const loop = asker.run('maker', () => every({ name: 'p', intervalMs: 3_600_000, pass: passes.pass, log }));
  loop.start();
  await passes.reached(1);
  await new Promise((resolve) => setImmediate(resolve));
  asker.run('somebody', () => loop.poke());
  await passes.reached(3);
  await loop.stop();
  expect(seen).toEqual(['maker', 'maker', 'maker']);
});
