import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { WorkerJson, WorkerTold } from '@jetbeat/core/http';
import { expect } from 'vitest';
import { type AppGroup, startAppGroup } from './app-group.ts';
import type { AppProcess } from './app-process.ts';
import { type Gates, startGates } from './gates.ts';
import { waitUntil } from './wait-until.ts';

/** Workers that a test tells things by the API, and jobs of `queue-tasks.ts` that it holds back in them. */
export interface ToldWorkers {
  readonly http: AppGroup['http'];
  readonly gates: Gates;
  readonly dir: string;
  /** Where each job that runs writes its name. */
  readonly file: string;
  /** Starts a worker; its process and its id. */
  start(env?: Readonly<Record<string, string>>): Promise<{ app: AppProcess; id: string }>;
  get(id: string): Promise<WorkerJson>;
  /** Tells it something that it must take. */
  tell(id: string, verb: string, body?: object): Promise<WorkerTold>;
  /** Posts so many jobs that run until their gate opens; their ids. */
  holds(gate: string, count: number, queue?: string): Promise<string[]>;
  /** Waits until the job has succeeded; the workers of its attempts. */
  ranAt(id: string): Promise<string[]>;
  /** Ends the workers of one test. */
  endWorkers(): Promise<void>;
  stop(): Promise<void>;
}

const TASKS = resolve(import.meta.dirname, '../flow/queue-tasks.ts');

/** Starts an API and a recorder. */
export async function startToldWorkers(): Promise<ToldWorkers> {
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-workers-'));
  const file = join(dir, 'begun');
  const running: AppProcess[] = [];
  const [gates, group] = await Promise.all([startGates(), startAppGroup({ JETBEAT_ACK_WAIT: '2s' })]);
  const { http } = group;
  await Promise.all([group.start('api'), group.start('recorder')]);
  return {
    http,
    gates,
    dir,
    file,
    async start(env = {}) {
      const app = await group.start('worker', { JETBEAT_TASKS: TASKS, JETBEAT_CONCURRENCY: '2', ...env });
      running.push(app);
      const id = await waitUntil('it is in history', async () => {
        const { body } = await http.call<{ items: WorkerJson[] }>('GET', '/workers?state=running');
        return body.items.find(({ pid }) => pid === app.pid)?.id;
      });
      return { app, id };
    },
    get: async (id) => (await http.call<WorkerJson>('GET', `/workers/${id}`)).body,
    async tell(id, verb, body = {}) {
      const answer = await http.call<WorkerTold>('POST', `/workers/${id}/${verb}`, body);
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      return answer.body;
    },
    holds: (gate, count, queue = 'default') =>
      Promise.all(
        Array.from({ length: count }, (_, n) =>
          http.post({
            task: 'test.held',
            queue,
            input: { file, name: `${gate}-${n}`, gate: `${gates.url}/${gate}` },
          }),
        ),
      ),
    ranAt: async (id) => (await http.jobIn(id, ['succeeded'])).attempts.map(({ workerId }) => workerId),
    async endWorkers() {
      await Promise.all(running.splice(0).map((app) => app.stop()));
    },
    async stop() {
      await gates.stop();
      await group.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
