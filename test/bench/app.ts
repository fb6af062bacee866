import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { startServerProcess } from '@jetbeat/infra/dev';
import type { AppName } from '../support/app-process.ts';
import { waitUntil } from '../support/wait-until.ts';

/** An app as a process of its own, which logs to a file. */
export interface App {
  readonly pid: number;
  /** Where its health and its metrics are. */
  readonly url: string;
  /** Resolves when the process has ended. */
  readonly exited: Promise<unknown>;
  /** Resolves when it says that it is ready. */
  ready(): Promise<void>;
  /** SIGTERM, and SIGKILL when that does not help. */
  stop(): Promise<void>;
}

const root = resolve(import.meta.dirname, '../..');
const READY_MS = 30_000;
const STOP_MS = 15_000;

/** Starts `node apps/<name>/src/main.ts`. */
export async function startApp(params: {
  name: AppName;
  env: Readonly<Record<string, string>>;
  port: number;
  logFile: string;
}): Promise<App> {
  const { name, port, logFile } = params;
  const { PATH = '', HOME = '' } = process.env;
  const ports = { [name === 'api' ? 'JETBEAT_PORT' : 'JETBEAT_HEALTH_PORT']: String(port) };
  const app = await startServerProcess({
    command: process.execPath,
    args: [join(root, 'apps', name, 'src/main.ts')],
    cwd: root,
    env: { PATH, HOME, ...params.env, ...ports },
    outputFile: logFile,
    stopSignals: [{ signal: 'SIGTERM', waitMs: STOP_MS }],
  });
  return {
    pid: app.pid,
    url: `http://127.0.0.1:${port}`,
    exited: app.exited,
    stop: app.stop,
    async ready() {
      const ended = app.exited.then(() => {
        throw new Error('it has ended');
      });
      const ready = waitUntil('it is ready', () => isReady(port), { timeoutMs: READY_MS });
      await Promise.race([ready, ended]).catch(async (cause: Error) => {
        throw new Error(`${name}: ${cause.message}; it said:\n${await lastWords(logFile)}`, { cause });
      });
    },
  };
}

/** The end of an app's log. */
export async function lastWords(logFile: string): Promise<string> {
  return (await readFile(logFile, 'utf8')).slice(-4_000);
}

async function isReady(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return response.ok;
}
