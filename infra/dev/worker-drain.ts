import { readFile } from 'node:fs/promises';

/** How long a worker's jobs may take to end when nothing is said, in milliseconds. */
export const usualDrainMs = 3000;

/**
 * How long the worker waits for its jobs when it is told to stop, and then for their commands, by its environment and the
 * configuration file that this names, in milliseconds. What cannot be read counts as not said: the worker itself tells what is wrong.
 */
export async function workerDrain(env: NodeJS.ProcessEnv): Promise<number> {
  const text = await readFile(env['JETBEAT_CONFIG'] ?? '', 'utf8').catch(() => '');
  // To read it as the worker does costs every start a quarter of a second.
  if (!env['JETBEAT_DRAIN'] && !/\b(?:drain|commands)\b/.test(text)) return usualDrainMs;
  try {
    const { loadConfig, MAX_STOP_GRACE_MS } = await import('@jetbeat/runtime');
    const { worker, commands } = loadConfig({ env, app: 'worker' });
    const graces = Object.values(commands).map(({ graceMs }) => graceMs);
    return worker.drainMs + Math.min(MAX_STOP_GRACE_MS, Math.max(0, ...graces));
  } catch {
    return usualDrainMs;
  }
}
