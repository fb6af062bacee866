import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { tieToThisProcess } from '@jetbeat/infra/dev';
import { ownPort } from './ports.ts';
import { waitUntil } from './wait-until.ts';

const root = resolve(import.meta.dirname, '../..');

/** The apps of the system. */
export type AppName = 'api' | 'scheduler' | 'recorder' | 'worker';

/** An app as a process of its own, as users run it. */
export interface AppProcess {
  readonly name: AppName;
  readonly pid: number;
  /** Where its `/readyz` is. */
  readonly healthUrl: string;
  /** Everything it logged, at most the last 256 KiB. */
  output(): string;
  /** Resolves when it says that it is ready. */
  ready(timeoutMs?: number): Promise<void>;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
  readonly exited: Promise<number | null>;
}

/**
 * Starts an app, which ends with this process however this one ends.
 * @param params.main the program instead of the app's own `main.ts`: the same app composed with a fail point
 */
export function startApp(params: {
  name: AppName;
  env: Readonly<Record<string, string>>;
  healthPort: number;
  main?: string;
}): AppProcess {
  const { name, env, healthPort } = params;
  const main = params.main ?? join(root, 'apps', name, 'src/main.ts');
  const child = spawn(process.execPath, [main], {
    cwd: root,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      // As `npm start` does it: of what an app's start costs, half is compiling.
      NODE_COMPILE_CACHE: join(root, '.jetbeat/cache/compiled'),
      ...env,
      ...ports(name, healthPort),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let saidReady = false;
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-256 * 1024);
    saidReady ||= output.includes('"msg":"ready"');
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  if (child.pid !== undefined) tieToThisProcess(child.pid, exited);
  const healthUrl = `http://127.0.0.1:${healthPort}`;
  return {
    name,
    pid: child.pid ?? -1,
    healthUrl,
    output: () => output,
    exited,
    ready: async (timeoutMs = 40_000) => {
      const ended = exited.then((code) => {
        throw new Error(`it has ended with code ${code}`);
      });
      // An app of the test file beside this one may have been given the same port, and answers there in place of this one.
      const ready = waitUntil('it is ready', () => saidReady && isReady(healthUrl), {
        timeoutMs,
        everyMs: 10,
      });
      await Promise.race([ready, ended]).catch((cause: Error) => {
        throw new Error(`${name}: ${cause.message}; it said:\n${output.slice(-4_000)}`, { cause });
      });
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
      return await exited.finally(() => clearTimeout(timer));
    },
  };
}

/**
 * Starts an app and waits until it is ready; on another port if the one that was free was taken before the app had bound it.
 * @param begin starts it with this port for its health
 */
export async function startOnFreePort(begin: (healthPort: number) => AppProcess): Promise<AppProcess> {
  for (let tries = 1; ; tries++) {
    const app = begin(await ownPort());
    try {
      await app.ready(60_000);
      return app;
    } catch (error) {
      if (tries === 3 || !String(error).includes('cannot_listen')) throw error;
    }
  }
}

function ports(name: string, port: number): Record<string, string> {
  return { [name === 'api' ? 'JETBEAT_PORT' : 'JETBEAT_HEALTH_PORT']: String(port) };
}

async function isReady(healthUrl: string): Promise<boolean> {
  const response = await fetch(`${healthUrl}/readyz`, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return response.ok;
}
