import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Cancel } from '@jetbeat/task';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { node, openWorkshop, sh, type Workshop } from './command.fixture.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await openWorkshop();
});
afterEach(() => shop.close());

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    // A zombie that its new parent has not yet fetched counts as dead.
    return !existsSync(`/proc/${pid}/stat`) || !isZombie(pid);
  } catch {
    return false;
  }
};
const isZombie = (pid: number) => {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
};
const pidsIn = async (file: string): Promise<number[]> => {
  const text = await readFile(join(shop.dir, file), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean).map(Number);
};

/** Writes its own process id and that of a child of its own, then waits. */
const family = (before = ':') =>
  `${before}; sleep 60 & echo $! >> ${shop.dir}/pids; echo $$ >> ${shop.dir}/pids; wait; sleep 60`;
const bothBegun = () => expect.poll(async () => (await pidsIn('pids')).length).toBe(2);
const allGone = async () => {
  for (const pid of await pidsIn('pids')) await expect.poll(() => isAlive(pid)).toBe(false);
};

/** Runs a family with so much time; with more, where the machine was too busy for both to begin in it. */
async function inTime<Result>(run: (ms: number) => Promise<Result>): Promise<Result> {
  for (let ms = 1_000; ; ms *= 2) {
    await writeFile(join(shop.dir, 'pids'), '');
    const result = await run(ms);
    if (ms > 8_000 || (await pidsIn('pids')).length === 2) return result;
  }
}

test('its own timeout ends the whole group', async () => {
  const ended = await inTime((timeoutMs) => shop.run(sh(family(), { timeoutMs })));
  expect(ended).toMatchObject({ outcome: 'failed', error: { code: 'command_timeout' } });
  expect(await pidsIn('pids')).toHaveLength(2);
  await allGone();
});

test('a cancel is SIGTERM, so that it can clear up, also where it then ends well', async () => {
  const stop = new AbortController();
  const it = sh(`trap 'echo cleared > ${shop.dir}/cleared; exit 0' TERM; ${family()}`);
  const running = shop.run(it, {}, { signal: stop.signal });
  await bothBegun();
  stop.abort(Cancel());
  expect((await running).outcome).toBe('cancelled');
  expect(await readFile(join(shop.dir, 'cleared'), 'utf8')).toBe('cleared\n');
  await allGone();
});

test('whoever ignores SIGTERM gets SIGKILL after the grace', async () => {
  const stop = new AbortController();
  const running = shop.run(sh(family("trap '' TERM"), { graceMs: 100 }), {}, { signal: stop.signal });
  await bothBegun();
  stop.abort(new Error('enough'));
  expect(await running).toMatchObject({ outcome: 'failed', interrupted: true });
  await allGone();
});

test('the hard limit is SIGKILL, whatever the grace', async () => {
  const it = sh(family("trap '' TERM"), { graceMs: 60_000 });
  const ended = await inTime((soft) => shop.run(it, {}, { policy: { timeout: { soft, hard: soft + 500 } } }));
  expect(ended.outcome).toBe('timed-out');
  expect(await pidsIn('pids')).toHaveLength(2);
  await allGone();
});

test('what a program leaves behind in its group is killed when it ends', async () => {
  expect((await shop.run(sh(`sleep 60 & echo $! > ${shop.dir}/pids`))).outcome).toBe('succeeded');
  expect(await pidsIn('pids')).toHaveLength(1);
  await allGone();
});

test('a stream that somebody outside the group holds open keeps nobody waiting', async () => {
  const code = `const { spawn } = require('node:child_process');
      const child = spawn('sleep', ['60'], { detached: true, stdio: 'inherit' });
      fs.writeFileSync('${shop.dir}/pids', String(child.pid)); child.unref(); process.exit(0);`;
  expect((await shop.run(node(code))).outcome).toBe('succeeded');
  for (const pid of await pidsIn('pids')) process.kill(pid, 'SIGKILL');
});

test('closing ends what is left', async () => {
  const running = shop.run(sh(family("trap '' TERM")));
  await bothBegun();
  await shop.groups.close();
  expect((await running).error?.code).toBe('command_killed');
  await allGone();
});

test('nothing outlives a worker that is killed with -9', async () => {
  const url = (file: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, file)).href);
  const worker = join(shop.dir, 'worker.mjs');
  await writeFile(
    worker,
    `import { builtInTasks } from ${url('built-in.ts')};
       const it = { run: ['/bin/sh', '-c', process.argv[2]], args: false, env: {}, graceMs: 5000, maxOutput: 1024 };
       const { tasks } = builtInTasks({
         http: { allowHosts: [], allowLoopback: false }, commands: { it },
         commandEnvironment: { PATH: process.env.PATH },
       });
       const ctx = { job: { id: 'x' }, attempt: 1, signal: new AbortController().signal, deadline: new Date(), log: console };
       await tasks.find(({ name }) => name === 'command.run').handler({ command: 'it' }, ctx);`,
  );
  const pids = join(shop.dir, 'pids');
  const stubborn = `trap '' TERM HUP PIPE; echo $$ > ${pids}; sleep 60; sleep 60`;
  const child = spawn(process.execPath, [worker, stubborn], { stdio: 'ignore' });
  // Asked without a pause: so the worker is killed before it goes on after the start of the program.
  const until = performance.now() + 20_000;
  while (!(existsSync(pids) && readFileSync(pids, 'utf8').endsWith('\n')) && performance.now() < until);
  child.kill('SIGKILL');
  expect(await pidsIn('pids')).toHaveLength(1);
  await allGone();
});
