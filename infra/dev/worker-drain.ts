import { readFile } from 'node:fs/promises';

/** How long a worker's jobs may take to end when nothing is said, in milliseconds. */
export const usualDrainMs = 3000;

/**
 * How long the worker waits for its jobs when it is told to stop, by its environment and the configuration file that this
 * names, in milliseconds. What cannot be read counts as not said: the worker itself tells what is wrong.
 */
export async function workerDrain(env: NodeJS.ProcessEnv): Promise<number> {
  const text = await readFile(env['JETBEAT_CONFIG'] ?? '', 'utf8').catch(() => '');
  // To read it as the worker does costs every start a quarter of a second.
  if (!env['JETBEAT_DRAIN'] && !/\bdrain\b/.test(text)) return usualDrainMs;
  try {
    const { loadConfig } = await import('@jetbeat/runtime');
    return loadConfig({ env, app: 'worker' }).worker.drainMs;
  } catch {
    return usualDrainMs;
  }
}
