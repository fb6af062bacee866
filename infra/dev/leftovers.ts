import { setTimeout as delay } from 'node:timers/promises';
import { commandOf, startTimeOf } from './process-facts.ts';
import { type ProcessEntry, readProcesses } from './processes-file.ts';
import type { Log } from './run.ts';
import { StartError } from './start-error.ts';

/** The name under which the supervisor itself is noted. */
export const supervisorName = 'start';

const serverSignals: Record<string, NodeJS.Signals | undefined> = { nats: 'SIGTERM', postgres: 'SIGINT' };
const softMs = 3000;

/**
 * Stops what a killed start has left: apps first, then NATS, then PostgreSQL. Only a process whose number and start
 * time are those of the list is touched; a stranger that got the number since is let alone.
 * Throws StartError when the start that wrote the list is still running.
 */
export async function stopLeftovers(params: { file: string; log: Log }): Promise<string[]> {
  const entries = await readProcesses(params.file);
  const supervisor = entries.get(supervisorName);
  if (supervisor !== undefined && (await isStill(supervisor))) {
    throw new StartError(
      `Jetbeat already runs on this data folder (pid ${supervisor.pid}); stop it with Ctrl-C or \`kill ${supervisor.pid}\`, or use another with --data DIR and other ports.`,
    );
  }
  entries.delete(supervisorName);
  const names = [...entries.keys()];
  const apps = names.filter((name) => serverSignals[name] === undefined);
  const stopped: string[] = [];
  for (const group of [apps, ['nats'], ['postgres']]) {
    await Promise.all(
      group.map(async (name) => {
        const entry = entries.get(name);
        if (entry === undefined || !(await isStill(entry))) return;
        params.log(`Stopping ${name} (pid ${entry.pid}), left behind by a start that was killed …`);
        await end(entry, serverSignals[name] ?? 'SIGTERM');
        stopped.push(name);
      }),
    );
  }
  return stopped;
}

async function isStill(entry: ProcessEntry): Promise<boolean> {
  if ((await startTimeOf(entry.pid)) !== entry.startTime) return false;
  // Only to the second on macOS, so the command line must agree there too.
  return process.platform === 'linux' || (await commandOf(entry.pid)) === entry.command;
}

async function end(entry: ProcessEntry, first: NodeJS.Signals): Promise<void> {
  for (const [signal, waitMs] of [[first, softMs] as const, ['SIGKILL', 2000] as const]) {
    try {
      process.kill(entry.pid, signal);
    } catch {
      return;
    }
    const bound = performance.now() + waitMs;
    while (performance.now() < bound) {
      if (!(await isStill(entry))) return;
      await delay(25);
    }
  }
}
