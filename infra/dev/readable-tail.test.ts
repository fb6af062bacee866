import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder } from './fixtures/folder.ts';
import { readableTail } from './readable-tail.ts';

async function tail(params: { before?: string; lines: readonly unknown[]; from?: number }): Promise<string> {
  const file = join(await emptyFolder(), 'app.log');
  const before = params.before ?? '';
  const texts = params.lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  await writeFile(file, `${before}${texts.join('\n')}\n`);
  return readableTail({ file, from: params.from ?? before.length });
}

const healthy = { level: 'info', msg: 'connected to NATS' };

test('lines of a healthy life are not shown, and nothing of the life before', async () => {
  const before = '{"level":"fatal","msg":"cannot start"}\nError: of the life before\n';
  expect(await tail({ before, lines: [healthy, { level: 'info', msg: 'ready' }] })).toBe('');
  expect(await tail({ before, lines: [healthy, { level: 'warn', msg: 'slow' }] })).toBe('  | warn: slow');
});

test('what became of a job is not why its worker ended', async () => {
  const lines = [
    { level: 'error', msg: 'job dead', job: 'j' },
    { level: 'fatal', msg: 'no memory', job: 'j' },
  ];
  expect(await tail({ lines })).toBe('  | fatal: no memory');
});

test('a file that was cut meanwhile is read from its beginning', async () => {
  expect(await tail({ lines: [{ level: 'error', msg: 'no room' }], from: 10_000 })).toBe(
    '  | error: no room',
  );
});

test("an error's words are added to the message only where it lacks them", async () => {
  const err = { message: 'as asked' };
  const lines = [
    { level: 'warn', msg: 'job dead: attempt 4 of 4 failed: Error: as asked', err },
    { level: 'error', msg: 'job failed', err },
    { level: 'fatal', err },
  ];
  expect(await tail({ lines })).toBe(
    [
      '  | warn: job dead: attempt 4 of 4 failed: Error: as asked',
      '  | error: job failed: as asked',
      '  | fatal: as asked',
    ].join('\n'),
  );
});

test('the signal that it stopped for is named', async () => {
  const lines = [
    healthy,
    { level: 'info', why: 'SIGTERM', msg: 'stopping' },
    { level: 'info', why: 'SIGTERM', msg: 'stopped' },
  ];
  expect(await tail({ lines })).toBe('  | stopping: SIGTERM');
});

test('other lines are shown as they are, and no file is no lines', async () => {
  expect(await tail({ lines: ['plain words', { level: 'warn', msg: 'slow' }, '{"broken'] })).toBe(
    '  | plain words\n  | warn: slow\n  | {"broken',
  );
  expect(await readableTail({ file: join(await emptyFolder(), 'none.log'), from: 0 })).toBe('');
});

test('what Node prints of an uncaught error is shown from its message on', async () => {
  const lines = [
    healthy,
    'file:///app.ts:1',
    'throw x',
    '^',
    'TypeError: x is not a function',
    '    at app.ts:1',
  ];
  expect(await tail({ lines })).toBe('  | TypeError: x is not a function\n  |     at app.ts:1');
});
