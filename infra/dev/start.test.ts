import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ownPort } from '../../test/support/ports.ts';
import { exists } from './exists.ts';
import { emptyFolder } from './fixtures/folder.ts';
import { isAlive } from './process-facts.ts';
import { readProcesses } from './processes-file.ts';
import { tieToThisProcess } from './server-process.ts';

const bootstrap = fileURLToPath(new URL('./bootstrap.mjs', import.meta.url));

interface Started {
  child: ChildProcess;
  exited: Promise<number | null>;
  said(): string;
}

function start(args: readonly string[], more: NodeJS.ProcessEnv = {}): Started {
  const env: NodeJS.ProcessEnv = { ...process.env, ...more };
  // Names of the test run itself; the apps refuse what they do not know.
  for (const name of Object.keys(env)) if (name.startsWith('JETBEAT_TEST_')) delete env[name];
  const child = spawn(process.execPath, [bootstrap, 'start', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGTERM'));
  const texts: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => texts.push(String(chunk)));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (child.pid !== undefined) tieToThisProcess(child.pid, exited);
  return { child, exited, said: () => texts.join('') };
}

async function threeInARow(): Promise<number> {
  let ports: readonly number[] = [];
  for (;;) {
    const port = await ownPort();
    ports = ports.at(-1) === port - 1 ? [...ports, port] : [port];
    const [first] = ports;
    if (ports.length === 3 && first !== undefined) return first;
  }
}

async function freePorts(): Promise<string[]> {
  const flags = { port: await ownPort(), 'health-port': await threeInARow(), 'nats-port': await ownPort() };
  const more = { 'monitor-port': await ownPort(), 'postgres-port': await ownPort() };
  return Object.entries({ ...flags, ...more }).flatMap(([name, port]) => [`--${name}`, String(port)]);
}

test('one command starts everything, shows the first scheduled job, and a signal leaves nothing', {
  timeout: 120_000,
}, async () => {
  const data = join(await emptyFolder(), 'data');
  const started = start([...(await freePorts()), '--data', data]);
  const shows = (text: string | RegExp, timeout: number) =>
    vi.waitFor(() => expect(started.said()).toMatch(text), { timeout, interval: 50 });
  await shows(/Jetbeat is up at http:\/\/127\.0\.0\.1:\d+[\s\S]*Admin key +.*admin\.key/, 60_000);
  await shows(/The first job of the schedule demo\.health has succeeded: \d+ ms late, ran \d+ ms/, 45_000);
  const [, base = '', code = ''] = /(http:\S+)\/sign-in#code=([\w-]{43})\n/.exec(started.said()) ?? [];
  const follow = () =>
    fetch(`${base}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    });
  expect(await (await follow()).json()).toMatchObject({ role: 'admin', beganBy: 'link' });
  expect((await follow()).status).toBe(401);
  const list = await readProcesses(join(data, 'processes.json'));
  expect([...list.keys()].toSorted()).toEqual([
    'api',
    'nats',
    'postgres',
    'recorder',
    'scheduler',
    'start',
    'worker',
  ]);
  const again = start(['--data', data]);
  expect(await again.exited).toBe(1);
  expect(again.said()).toMatch(/already runs on this data folder/);
  started.child.kill('SIGTERM');
  expect(await started.exited).toBe(0);
  expect([...list.values()].filter(({ pid }) => isAlive(pid))).toEqual([]);
});

test('a port in use is a message, not a stack', { timeout: 60_000 }, async () => {
  const port = await ownPort();
  const holder = createServer().listen(port, '127.0.0.1');
  onTestFinished(() => void holder.close());
  await new Promise((listening) => holder.once('listening', listening));
  const args = await freePorts();
  const data = join(await emptyFolder(), 'data');
  const started = start([...args, '--port', String(port), '--data', data]);
  expect(await started.exited).toBe(1);
  expect(started.said()).toContain(
    `Port ${port} of 127.0.0.1 is in use, and the API needs it; choose another with --port N.`,
  );
  expect(started.said()).not.toMatch(/\n\s+at /);
  // A start that was refused leaves nothing.
  expect(await exists(data)).toBe(false);
});

test('a wrong environment is told once, and nothing is left running', { timeout: 60_000 }, async () => {
  const data = join(await emptyFolder(), 'data');
  const started = start([...(await freePorts()), '--data', data], { JETBEAT_QUEUE: 'mail' });
  expect(await started.exited).toBe(1);
  expect(started.said()).toContain(
    'unknown environment variable JETBEAT_QUEUE: did you mean JETBEAT_QUEUES?',
  );
  expect(started.said().match(/JETBEAT_QUEUES\?/g)).toHaveLength(1);
  expect(started.said()).not.toContain('starting it again');
  expect([...(await readProcesses(join(data, 'processes.json'))).values()]).toEqual([]);
});

test('the options are told on request', { timeout: 30_000 }, async () => {
  const started = start(['--help']);
  expect(await started.exited).toBe(0);
  expect(started.said()).toContain('--postgres-port N');
});
