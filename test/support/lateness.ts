import { onTestFinished } from 'vitest';

const EVERY_MS = 20;
/** A timer is never quite in time. */
const USUAL_MS = 10;

/**
 * From now on counts how much later than they were to come the timers of this process come, until the test has finished: what the machine
 * has taken from it. What has to be over in time is given so much more.
 * @returns tells it, milliseconds
 */
export function countLateness(): () => number {
  let last = performance.now();
  let late = 0;
  const sinceLast = () => {
    const over = performance.now() - last - EVERY_MS;
    return over > USUAL_MS ? over : 0;
  };
  const timer = setInterval(() => {
    late += sinceLast();
    last = performance.now();
  }, EVERY_MS);
  onTestFinished(() => clearInterval(timer));
  return () => late + sinceLast();
}
