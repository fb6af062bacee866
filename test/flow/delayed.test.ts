import { join } from 'node:path';
import { type Client, connect } from '@jetbeat/client';
import { type Bus, connectBus, jobsStreamState } from '@jetbeat/jetstream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';
import type { AppProcess } from '../support/app-process.ts';
import type { JobJson } from '../support/http.ts';
import { natsUrl } from '../support/nats.ts';
import { waitUntil } from '../support/wait-until.ts';

type Timed = JobJson & { runAt: string; startedAt: string };

let group: AppGroup;
let worker: AppProcess;
let client: Client;
let bus: Bus;
beforeAll(async () => {
  group = await startAppGroup({ JETBEAT_TASKS: join(import.meta.dirname, 'job-tasks.ts') });
  await Promise.all([group.start('api'), group.start('recorder')]);
  worker = await group.start('worker', { JETBEAT_CONCURRENCY: '100' });
  client = await connect({ servers: natsUrl(), namespace: group.namespace });
  bus = await connectBus({ servers: natsUrl(), name: 'test', namespace: group.namespace });
}, 120_000);
afterAll(async () => {
  await client?.close();
  await bus?.close();
  await group?.stop();
}, 60_000);

/** All jobs of a task that have succeeded. */
async function succeeded(task: string): Promise<Timed[]> {
  const found: Timed[] = [];
  for (let cursor = ''; ; ) {
    const path = `/jobs?task=${task}&state=succeeded&limit=200${cursor}`;
    const { body } = await group.http.call<{ items: Timed[]; nextCursor: string | null }>('GET', path);
    found.push(...body.items);
    if (body.nextCursor === null) return found;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

/** How many jobs the worker holds, as it says itself. */
async function held(): Promise<number> {
  const page = await (await fetch(`${worker.healthUrl}/metrics`)).text();
  const found = [...page.matchAll(/^jetbeat_worker_jobs_held(?:\{[^}]*\})? (\d+)$/gm)];
  expect(found.length).toBeGreaterThan(0);
  return found.reduce((sum, [, count]) => sum + Number(count), 0);
}

test('delayed jobs wait in the server alone, and each runs once, at its time: spread out, and at one instant', async () => {
  const [spread, instant] = [1_500, 1_000];
  const from = Date.now() + 6_000;
  const items = Array.from({ length: spread + instant }, (_, value) => {
    const runAt = new Date(value < spread ? from + value : from + spread + 500);
    return { input: { value }, options: { runAt } };
  });
  await client.enqueueMany('jobs.echo', items);
  expect((await jobsStreamState(bus)).messages).toBe(items.length);
  expect(await held()).toBe(0);
  const empty = async () => (await jobsStreamState(bus)).messages === 0;
  await waitUntil('all have run', empty, { timeoutMs: 40_000 });
  const jobs = await waitUntil('history has all', async () => {
    const all = await succeeded('jobs.echo');
    return all.length === items.length ? all : undefined;
  });
  expect(new Set(jobs.map(({ result }) => (result as { value: number }).value)).size).toBe(items.length);
  for (const job of jobs) {
    expect(job.attempts.length).toBe(1);
    expect(Date.parse(job.startedAt)).toBeGreaterThanOrEqual(Date.parse(job.runAt));
  }
}, 90_000);
