import { setTimeout as delay } from 'node:timers/promises';

const boundMs = 60_000;

/** Asks every 2 ms until the answer is yes; throws after a minute. */
export async function until(ask) {
  const end = performance.now() + boundMs;
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`not so after ${boundMs / 1000} s: ${ask}`);
    await delay(2);
  }
}
