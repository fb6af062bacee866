import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import type { JobJson } from '../support/http.ts';
import { type Ledger, startLedger } from '../support/ledger.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 25);
const JOBS_PER_ROUND = 60;
/** Printed, and taken from the environment to repeat a run. */
const SEED = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);

let stack: Stack;
let ledger: Ledger;
const apps: AppProcess[] = [];
const accepted = new Map<string, string>();
let serial = 0;
let workerKills = 0;

/** Mulberry32: small, and the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

beforeAll(async () => {
  ledger = await startLedger({ answerMs: 10, failsFirst: (path) => path.startsWith('/flaky/') });
  stack = await startStack();
  const kinds = ['api', 'scheduler', 'scheduler', 'recorder', 'recorder', 'worker', 'worker'] as const;
  apps.push(...(await Promise.all(kinds.map((kind) => stack.start(kind)))));
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  await ledger?.stop();
}, 60_000);

async function post(kind: 'plain' | 'flaky' | 'later'): Promise<void> {
  const path = `/${kind}/${serial++}`;
  const body = {
    task: 'http.request',
    input: { url: ledger.url + path },
    retry: { attempts: 5, delay: '300ms', jitter: false },
    ...(kind === 'later' ? { delay: '1500ms' } : {}),
  };
  const answer = await stack.http.call<{ id: string }>('POST', '/jobs', body).catch(() => undefined);
  if (answer?.status === 202) accepted.set(path, answer.body.id);
}

async function kill(target: AppProcess | 'nats' | 'postgres'): Promise<void> {
  if (target === 'nats') return stack.killNats();
  if (target === 'postgres') return stack.killPostgres();
  if (target.name === 'worker') workerKills++;
  await target.kill();
  // Without waiting for readiness: it may have to start while a server is away, and then again.
  const next = await stack.start(target.name, { eager: true });
  apps[apps.indexOf(target)] = next;
}

/** What a supervisor does: an app that ended, because a server was away when it started, is started again. */
async function revive(): Promise<void> {
  for (const [index, app] of apps.entries()) {
    if (!stack.apps.has(app)) apps[index] = await stack.start(app.name, { eager: true });
  }
}

async function nothingOpen(): Promise<boolean> {
  await revive();
  const states = ['queued', 'scheduled', 'running', 'parked', 'retrying'].map((state) => `state=${state}`);
  const { status, body } = await stack.http.call<{ items: JobJson[] }>(
    'GET',
    `/jobs?${states.join('&')}&limit=1`,
  );
  return status === 200 && body.items.length === 0;
}

test(`random kills (KILL_SEED=${SEED}): nothing lost, nothing doubled but by a worker's death`, async () => {
  const random = randomOf(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const posting = Promise.all(
      Array.from({ length: JOBS_PER_ROUND }, (_, index) =>
        post((['plain', 'flaky', 'later'] as const)[index % 3] ?? 'plain'),
      ),
    );
    const targets = [...apps, 'nats', 'postgres'] as const;
    const target = targets[Math.floor(random() * targets.length)];
    await waitUntil('some are under way', () => ledger.effects.size > (round * JOBS_PER_ROUND) / 4, {
      timeoutMs: 30_000,
    });
    if (target) await kill(target);
    await posting;
    await waitUntil('every app runs', () => nothingDown(), { timeoutMs: 30_000 });
  }
  await waitUntil('every job has ended', nothingOpen, { timeoutMs: 120_000, everyMs: 500 });

  expect(accepted.size).toBeGreaterThan(ROUNDS * JOBS_PER_ROUND * 0.5);
  const wanted = (path: string) => (path.startsWith('/flaky/') ? 2 : 1);
  const hits = (path: string) => ledger.effects.get(path)?.arrivals.length ?? 0;
  expect([...accepted.keys()].filter((path) => hits(path) < wanted(path))).toEqual([]);
  // A killed worker runs at most its ten slots again.
  const more = [...accepted.keys()].reduce((sum, path) => sum + Math.max(0, hits(path) - wanted(path)), 0);
  expect(more).toBeLessThanOrEqual(workerKills * 10);
  for (const [path, id] of accepted) {
    const job = await stack.http.job(id);
    expect(job, path).toMatchObject({ state: 'succeeded' });
    expect(job.attempts.filter(({ outcome }) => outcome === 'succeeded')).toHaveLength(1);
  }
}, 600_000);

async function nothingDown(): Promise<boolean> {
  await revive();
  const answers = await Promise.all(
    apps.map((app) =>
      fetch(`${app.healthUrl}/readyz`, { signal: AbortSignal.timeout(2_000) }).then((a) => a.ok),
    ),
  );
  return answers.every((ok) => ok);
}
