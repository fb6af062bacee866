import type { Position } from './envelope.ts';

/**
 * Where in a job's life an event stands within its position. `settled` is the highest: nothing of the same run comes
 * after it.
 */
export const PHASES = {
  queued: 0,
  parked: 1,
  released: 2,
  running: 3,
  cancelling: 4,
  settled: 5,
  ended: 6,
} as const;

const ATTEMPTS = 2 ** 13;
const RUNS = 2 ** 18;
const PARKS = 2 ** 18;
const PHASE = 2 ** 4;

/**
 * One number (below 2^53) by which history orders what it hears of a job: (attempt, run, parks, phase). A greater one
 * came later, in whatever order they arrive.
 */
export function orderOf(position: Position, phase: number): number {
  const attempt = Math.min(position.attempt, ATTEMPTS - 1);
  const run = Math.min(position.run, RUNS - 1);
  const parks = Math.min(position.parks, PARKS - 1);
  return ((attempt * RUNS + run) * PARKS + parks) * PHASE + phase;
}
