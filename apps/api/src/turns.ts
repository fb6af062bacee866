import { setImmediate as turn } from 'node:timers/promises';

/** How long one request may hold up the others, milliseconds. */
const SLICE_MS = 10;

/** Makes what long work awaits between its steps: it lets other requests have their turn after so many milliseconds. */
export function createTurns(): () => Promise<void> | undefined {
  let begun = performance.now();
  return () => {
    if (performance.now() - begun < SLICE_MS) return undefined;
    return turn().then(() => {
      begun = performance.now();
    });
  };
}
