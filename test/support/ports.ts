import { portIsFree } from '@jetbeat/infra/dev';

/** Below those that others are given at random, in the tests of the development servers too, and that the kernel gives out. */
const LOWEST = 12_000;
const COUNT = 8_000;
/** More than there are processes of test files at a time. */
const SHARES = 8;
const EACH = COUNT / SHARES;

let next = Math.floor(Math.random() * EACH);

/**
 * A free port of 127.0.0.1 that nobody else of this run is given before it is bound: each process of test files has a share of its own,
 * and goes round in it. An API that starts some seconds after its port was chosen finds it free, and so does a server that was killed.
 */
export async function ownPort(): Promise<number> {
  const share = Number(process.env['VITEST_POOL_ID'] ?? 0) % SHARES;
  for (let tries = 0; tries < EACH; tries++) {
    next = (next + 1) % EACH;
    const port = LOWEST + share * EACH + next;
    if (await portIsFree(port)) return port;
  }
  throw new Error(`no port of 127.0.0.1 is free between ${LOWEST} and ${LOWEST + COUNT - 1}`);
}
