import { expect } from 'vitest';
import type { JobJson } from './http.ts';
import { type Stack, startStack } from './stack.ts';
import { waitUntil } from './wait-until.ts';

const SCHEDULES = 200;

interface Occurrence {
  readonly nominalTime: string;
  readonly state: string;
  readonly reason?: { readonly code: string };
  readonly jobId?: string;
}

/**
 * Two schedulers, two recorders and three workers with 200 schedules of one second, a scheduler killed in between: every
 * nominal time has exactly one row, every dispatched row exactly one job, and every job has ended once.
 */
export async function manyReplicas(seconds: number): Promise<void> {
  const stack = await startStack();
  try {
    const [, scheduler] = await Promise.all([
      stack.start('api'),
      stack.start('scheduler'),
      stack.start('scheduler'),
      stack.start('recorder'),
      stack.start('recorder'),
      stack.start('worker'),
      stack.start('worker'),
      stack.start('worker'),
    ]);
    const names = Array.from({ length: SCHEDULES }, (_, index) => `every-second.${index}`);
    for (const name of names) await create(stack, name);
    const start = Date.now();
    await waitUntil('half of the time has passed', () => Date.now() - start > (seconds * 1_000) / 2, {
      timeoutMs: seconds * 1_000,
    });
    await scheduler.kill();
    await stack.start('scheduler');
    await waitUntil('the time has passed', () => Date.now() - start > seconds * 1_000, {
      timeoutMs: seconds * 1_000,
    });
    for (const name of names) {
      expect((await stack.http.call('POST', `/schedules/${name}/pause`, {})).status).toBe(200);
    }
    await waitUntil('every job has ended', () => nothingOpen(stack), { timeoutMs: 60_000, everyMs: 250 });

    const jobIds = new Set<string>();
    let rows = 0;
    for (const name of names) {
      const occurrences = await decided(stack, name);
      expectEverySecondOnce(occurrences);
      // What came after the pause is one row.
      const ran = occurrences.filter(({ reason }) => reason?.code !== 'paused');
      expect(occurrences.length - ran.length).toBeLessThanOrEqual(1);
      rows += ran.length;
      expect(ran.length).toBeGreaterThanOrEqual(seconds - 1);
      for (const { state, jobId = '' } of ran) {
        expect(state).toBe('dispatched');
        jobIds.add(jobId);
      }
    }
    expect(jobIds.size).toBe(rows);
    await waitUntil('the last have ended too', () => nothingOpen(stack), { timeoutMs: 60_000 });
    const jobs = await all<JobJson>(stack, '/jobs');
    expect(new Set(jobs.map(({ id }) => id))).toEqual(jobIds);
    expect(jobs.filter(({ state }) => state !== 'succeeded')).toEqual([]);
    expect(jobs.filter(({ attempts }) => attempts.length !== 1)).toEqual([]);
  } finally {
    await stack.stop();
  }
}

async function create(stack: Stack, name: string): Promise<void> {
  const job = { task: 'system.echo', input: { name } };
  const body = {
    name,
    when: { every: '1s' },
    job,
    overlap: 'allow',
    catchUp: { all: 1_000 },
    catchUpWindow: '1h',
  };
  expect(await stack.http.call('POST', '/schedules', body)).toMatchObject({ status: 201 });
}

function expectEverySecondOnce(occurrences: readonly Occurrence[]): void {
  const times = occurrences.map(({ nominalTime }) => Date.parse(nominalTime)).sort((a, b) => a - b);
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(steps.filter((step) => step !== 1_000)).toEqual([]);
}

/** All occurrences of a schedule; what was due before its pause is still made. */
function decided(stack: Stack, name: string): Promise<Occurrence[]> {
  return waitUntil('nothing is due', async () => {
    const found = await all<Occurrence>(stack, `/schedules/${name}/occurrences`);
    return found.every(({ state }) => state !== 'due') && found;
  });
}

async function nothingOpen(stack: Stack): Promise<boolean> {
  const states = ['queued', 'scheduled', 'running', 'parked', 'retrying'].map((state) => `state=${state}`);
  const { body } = await stack.http.call<{ items: unknown[] }>('GET', `/jobs?${states.join('&')}&limit=1`);
  return body.items.length === 0;
}

async function all<T>(stack: Stack, path: string): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: string = `${path}?limit=200${cursor ? `&cursor=${cursor}` : ''}`;
    const { status, body } = await stack.http.call<{ items: T[]; nextCursor: string | null }>('GET', page);
    if (status !== 200) throw new Error(`GET ${page}: ${status} ${JSON.stringify(body)}`);
    items.push(...body.items);
    cursor = body.nextCursor;
  }
  return items;
}
