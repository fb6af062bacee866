/**
 * Ends the process of a test file when the run that started it is gone, however it ended: vitest leaves one that is
 * waiting for something to itself. Servers and apps are tied to this process in turn.
 */
export function endWithRun(): void {
  if (process.listenerCount('disconnect', endNow) === 0) process.on('disconnect', endNow);
}

function endNow(): void {
  // vitest keeps tests from `process.exit`.
  process.kill(process.pid, 'SIGKILL');
}
