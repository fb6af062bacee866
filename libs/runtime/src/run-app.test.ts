import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const INDEX = join(import.meta.dirname, 'index.ts');

/** Runs a program that calls `runApp`, sends `signal` at the first `ready` line, and tells how it ended. */
async function run(
  start: string,
  options: { signal?: NodeJS.Signals; env?: Record<string, string>; params?: string } = {},
) {
  const code = `import { runApp } from ${JSON.stringify(INDEX)}; await runApp({ app: 'worker', start: async () => (${start}), ${options.params ?? ''} });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let sent = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (options.signal && !sent && out.includes('"msg":"ready"')) sent = child.kill(options.signal);
  });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, out, err };
}

const STAYING = 'ready: async () => {}, timer: setInterval(() => {}, 1000)';

test.each(['SIGTERM', 'SIGINT'] as const)('%s stops it in order', async (signal) => {
  const { exitCode, out } = await run(`{ ${STAYING}, stop: async () => { console.log('cleaned up'); } }`, {
    signal,
  });
  expect(exitCode).toBe(0);
  expect(out).toContain('cleaned up');
  expect(out).toContain('"msg":"stopped"');
});

test('one that has to end by itself stops in order too, and fails, so that another is started', async () => {
  const stopAsked = "stopAsked: Promise.resolve(new Error('a slot is lost'))";
  const { exitCode, out } = await run(`{ ${STAYING}, ${stopAsked}, stop: async () => {} }`);
  expect(exitCode).toBe(1);
  expect(out).toContain('"why":"a slot is lost","msg":"stopped"');
});

test('a stop that hangs ends the process after its bound', async () => {
  const { exitCode, out } = await run(`{ ${STAYING}, stop: () => new Promise(() => {}) }`, {
    signal: 'SIGTERM',
    params: 'stopTimeoutMs: 50',
  });
  expect(exitCode).toBe(1);
  expect(out).toContain('did not stop in time');
});

test('a worker has the time of its jobs beside its own; told a second time, it ends at once', async () => {
  const { exitCode, out } = await run(
    `{ ${STAYING}, stop: () => { setInterval(() => process.kill(process.pid, 'SIGTERM'), 100); return new Promise(() => {}); } }`,
    { signal: 'SIGINT', env: { JETBEAT_DRAIN: '1h' } },
  );
  expect(exitCode).toBe(1);
  expect(out).toContain('told to stop once more: ending at once');
  expect(out.match(/"msg":"stopping"/g)).toHaveLength(1);
});

test('a start that finds that what it was told cannot be used says so by its code: it is no use to start it again', async () => {
  const { exitCode, out } = await run(
    `{ ready: () => Promise.reject(Object.assign(new Error('no such module'), { code: 'task_load' })), stop: async () => {} }`,
  );
  expect(exitCode).toBe(2);
  expect(out).toContain('"msg":"cannot start: no such module"');
});

test('an unhandled rejection ends it with code 1', async () => {
  const { exitCode, out } = await run(
    `{ ${STAYING}, stop: async () => {}, bad: void Promise.reject(new Error('lost')) }`,
  );
  expect(exitCode).toBe(1);
  expect(out).toContain('unhandled rejection');
  expect(out).toContain('lost');
});

test('a start that fails ends it with code 1', async () => {
  const { exitCode, out } = await run(
    `{ ready: () => Promise.reject(new Error('port in use')), stop: async () => {} }`,
  );
  expect(exitCode).toBe(1);
  expect(out).toContain('port in use');
});

test('a start that fails for a reason that is known: one line that says it, without a stack', async () => {
  const { exitCode, out } = await run(
    `{ ready: () => Promise.reject(Object.assign(new Error('the port is taken'), { code: 'cannot_listen' })), stop: async () => {} }`,
  );
  expect(exitCode).toBe(1);
  expect(out).toContain('"msg":"cannot start: the port is taken"');
  expect(out).toContain('"code":"cannot_listen"');
  expect(out).not.toContain('stack');
});

test('an unknown setting: a line, not a stack', async () => {
  const { exitCode, err } = await run('{}', { env: { JETBEAT_NATS_ULR: 'x' } });
  expect(exitCode).toBe(2);
  expect(err).toBe(
    'jetbeat worker: unknown environment variable JETBEAT_NATS_ULR: did you mean JETBEAT_NATS_URL?\n',
  );
});
