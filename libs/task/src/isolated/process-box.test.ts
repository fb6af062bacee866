import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { processLives } from '../../../../test/support/process-lives.ts';
import { type Clock, systemClock } from '../clock.ts';
import { setUpRuns } from './isolated.fixture.ts';

const open: { stop(): Promise<void> }[] = [];
function setUp(...args: Parameters<typeof setUpRuns>) {
  const made = setUpRuns(...args);
  open.push(made.runs);
  return made;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((runs) => runs.stop()));
});

test('what a handler has started dies with it at the hard limit', async () => {
  const { start } = setUp({ kind: 'process' });
  const run = start('with-child', {}, { limits: { hard: 1_000 } });
  const { pid = 0, child = 0 } = (await run.begun).fields;
  expect(await processLives(child)).toBe(true);
  expect(await run.execution).toMatchObject({ outcome: 'timed-out', error: { code: 'hard_time_limit' } });
  await expect.poll(() => processLives(child)).toBe(false);
  expect(await processLives(pid)).toBe(false);
});

test('a handler inside of a system call is ended too', async () => {
  const { start } = setUp({ kind: 'process' });
  const run = start('sleeps', {}, { limits: { hard: 300 } });
  await run.begun;
  expect(await run.execution).toMatchObject({ outcome: 'timed-out' });
});

test.each([
  ['SIGSEGV', 'its process was killed by SIGSEGV'],
  ['SIGKILL', 'its process was killed by SIGKILL, as the system does out of memory'],
  ['disconnect', 'its process was killed by SIGKILL'],
])('death by %s is a loss', async (by, how) => {
  const { start } = setUp({ kind: 'process' });
  expect(await start('dies', { by }).execution).toMatchObject({
    outcome: 'lost',
    error: { code: 'child_lost', message: expect.stringContaining(how) },
  });
});

test('a child that dies while it is idle costs no job a loss', async () => {
  const { start } = setUp({ kind: 'process' });
  const { pid } = (await start('who').execution).result as { pid: number };
  process.kill(pid, 'SIGKILL');
  // Nobody has seen it yet.
  const next = await start('who').execution;
  expect(next.outcome).toBe('succeeded');
  expect(next.result).not.toMatchObject({ pid });
});

test('a signal for the whole service does not reach the handler: its worker decides', async () => {
  const { start } = setUp({ kind: 'process' });
  const { pid } = (await start('who').execution).result as { pid: number };
  const run = start('waits', { ms: 300 });
  process.kill(pid, 'SIGTERM');
  expect(await run.execution).toMatchObject({ outcome: 'succeeded', result: { pid } });
});

test('a child ends after maxJobs, and its successor is there before', async () => {
  // The jobs come so soon that a successor takes longer to start, however busy the machine is.
  const clock: Clock = { ...systemClock, elapsed: () => 0 };
  const { runs, start } = setUp({ kind: 'process', maxJobs: 3 }, { max: 1, clock });
  const job = async (ms: number) => ((await start('waits', { ms }).execution).result as { pid: number }).pid;
  const pids = [await job(1), await job(1)];
  // The next jobs come soon: there are two already.
  await expect.poll(() => runs.count('process')).toBe(2);
  pids.push(await job(1_500));
  for (let count = 0; count < 6; count++) pids.push(await job(count % 3 === 2 ? 1_500 : 1));
  expect(new Set(pids).size).toBe(3);
  for (const [index, pid] of pids.entries()) expect(pid).toBe(pids[index - (index % 3)]);
  await expect.poll(() => processLives(pids[0] ?? 0), { timeout: 15_000 }).toBe(false);
  expect(runs.count('process')).toBeLessThanOrEqual(2);
});

test('a child above maxMemory ends after its job, and its successor is started when it comes near', async () => {
  const { runs, start } = setUp({ kind: 'process', maxMemory: 256 * 1024 ** 2 }, { max: 1 });
  const grow = async (mebibytes: number) =>
    ((await start('grows', { mebibytes }).execution).result as { pid: number }).pid;
  const first = await grow(1);
  expect(await grow(1)).toBe(first);
  expect(runs.count('process')).toBe(1);
  expect(await grow(300)).toBe(first);
  expect(await grow(1)).not.toBe(first);
  await expect.poll(() => processLives(first), { timeout: 15_000 }).toBe(false);
  await expect.poll(() => runs.count('process')).toBe(1);
});

test('what runs alone shares its process with nothing', async () => {
  const { runs, start } = setUp({ kind: 'process' });
  const pid = async (alone: boolean) =>
    ((await start('who', {}, { alone }).execution).result as { pid: number }).pid;
  const usual = await pid(false);
  const own = [await pid(true), await pid(true)];
  expect(new Set([usual, ...own]).size).toBe(3);
  expect(await pid(false)).toBe(usual);
  await expect.poll(() => runs.count('process'), { timeout: 15_000 }).toBe(1);
});

test.each(['spin', 'sleeps', 'stubborn', 'with-child'])(
  'kill -9 of the worker ends its child that runs %s, and what that has started',
  async (name) => {
    const main = fileURLToPath(new URL('./worker.fixture.ts', import.meta.url));
    const worker = spawn(process.execPath, [main, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [told] = (await once(worker.stdout, 'data')) as [Buffer];
    const { pid, child } = JSON.parse(told.toString()) as { pid: number; child?: number };
    expect(await processLives(pid)).toBe(true);
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    await expect.poll(() => processLives(pid), { timeout: 15_000 }).toBe(false);
    if (child !== undefined) await expect.poll(() => processLives(child), { timeout: 15_000 }).toBe(false);
  },
);

test('a child ends itself past its hard limit where its worker stands still', async () => {
  const main = fileURLToPath(new URL('./worker.fixture.ts', import.meta.url));
  const worker = spawn(process.execPath, [main, 'spin', '1000'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [told] = (await once(worker.stdout, 'data')) as [Buffer];
  const { pid } = JSON.parse(told.toString()) as { pid: number };
  worker.kill('SIGSTOP');
  await expect.poll(() => processLives(pid)).toBe(false);
  worker.kill('SIGCONT');
  const [answer] = (await once(worker.stdout, 'data')) as [Buffer];
  expect(JSON.parse(answer.toString())).toMatchObject({ outcome: 'timed-out' });
  worker.kill('SIGKILL');
});
