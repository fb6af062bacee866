import { randomBytes } from 'node:crypto';

const COUNTS = 2 ** 32;

/**
 * Makes the ids of runs: UUIDv7 whose last 32 bits count up from a random start (RFC 9562 §6.2), and whose 42 random bits
 * before them are this worker's own. Fresh random bits for each would cost more than to run a job.
 * @returns a maker that takes Unix milliseconds
 */
export function createRunIds(random: Uint8Array = randomBytes(10)): (now: number) => string {
  const hex = Buffer.from(random).toString('hex');
  const variant = (8 + (Number.parseInt(hex.slice(3, 4), 16) % 4)).toString(16);
  const own = `7${hex.slice(0, 3)}-${variant}${hex.slice(4, 7)}-${hex.slice(7, 11)}`;
  let count = Number.parseInt(hex.slice(11, 19), 16);
  let prefixed = -1;
  let prefix = '';
  return (now) => {
    if (now !== prefixed) {
      const time = Math.floor(now).toString(16).padStart(12, '0');
      prefix = `${time.slice(0, 8)}-${time.slice(8)}-${own}`;
      prefixed = now;
    }
    count = (count + 1) % COUNTS;
    return prefix + count.toString(16).padStart(8, '0');
  };
}
