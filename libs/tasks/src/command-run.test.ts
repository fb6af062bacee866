import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Context } from '@jetbeat/task';
import { runTask } from '@jetbeat/task/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { command, environment, node, openWorkshop, sh, type Workshop } from './command.fixture.ts';

const EXAMPLE = resolve(import.meta.dirname, '../examples/report.py');

let shop: Workshop;
beforeEach(async () => {
  shop = await openWorkshop();
});
afterEach(() => shop.close());

test('the example in Python: input, progress, result, log, another attempt', async () => {
  const python = command(['python3', EXAMPLE]);
  const told: unknown[] = [];
  const progress = (value: number, note?: string) => told.push([value, note]);
  const first = await shop.run(python, { input: { rows: [1, 2, 39] } });
  expect(first, 'this test needs python3').toMatchObject({ outcome: 'succeeded', result: { total: 42 } });
  expect(first.logged).toMatchObject([
    {
      level: 'info',
      message: 'the command has ended',
      fields: {
        command: 'it',
        exitCode: 0,
        stdout: expect.stringMatching(/^job [0-9a-f-]{36}, attempt 1: done\n$/),
      },
    },
  ]);
  expect(await shop.run(python, { input: { rows: [] } })).toMatchObject({
    outcome: 'failed',
    error: {
      code: 'retry',
      message: 'it asked for another attempt (exit code 75): there is nothing to sum up yet',
    },
  });
  expect(await shop.run(python, { input: {} })).toMatchObject({
    outcome: 'failed',
    error: { code: 'command_failed', message: expect.stringContaining("KeyError: 'rows'") },
  });
  await shop.task(python).handler({ command: 'it', input: { rows: [1, 1] } }, {
    job: { id: 'x' },
    attempt: 1,
    signal: new AbortController().signal,
    deadline: new Date(Date.now() + 60_000),
    log: { info: () => undefined },
    progress,
  } as unknown as Context);
  expect(told.at(-1)).toEqual([100, '2 of 2']);
});

test('the environment is small, and what is configured is in it', async () => {
  const code = 'say({ result: { env: process.env, cwd: process.cwd(), argv: process.argv.slice(1) } })';
  const it = node(code, { env: { MINE: '1', LANG: 'C' }, cwd: shop.dir, args: true });
  const traced = await runTask(
    shop.task(it, '00-trace-01'),
    { command: 'it', args: ['a b', '$(id)'] },
    { attempt: 3 },
  );
  const { env, cwd, argv } = traced.result as { env: Record<string, string>; cwd: string; argv: string[] };
  expect(
    Object.keys(env)
      .filter((name) => !name.startsWith('__'))
      .sort(),
  ).toEqual(
    [
      ...new Set([
        ...Object.keys(environment),
        'LANG',
        'MINE',
        'JETBEAT_ATTEMPT',
        'JETBEAT_JOB_ID',
        'TRACEPARENT',
      ]),
    ].sort(),
  );
  expect(env).toMatchObject({ MINE: '1', LANG: 'C', JETBEAT_ATTEMPT: '3', TRACEPARENT: '00-trace-01' });
  expect([cwd, argv]).toEqual([shop.dir, ['a b', '$(id)']]);
});

test.each([
  [';touch evil', true],
  ['$(touch evil)', true],
  ['`touch evil`', true],
  ['a\nb', true],
  ['', true],
  ['-o', false],
  ['--eval=1', false],
  ['a\0b', false],
])('the argument %j is an argument and nothing else', async (arg, isTaken) => {
  const it = command(['/usr/bin/env', 'printf', '[%s]'], { args: true, cwd: shop.dir });
  const { outcome, error, logged } = await shop.run(it, { args: [arg] });
  if (isTaken) expect([outcome, logged[0]?.fields]).toMatchObject(['succeeded', { stdout: `[${arg}]` }]);
  else expect([outcome, error?.code]).toEqual(['rejected', 'invalid_argument']);
  expect(existsSync(join(shop.dir, 'evil'))).toBe(false);
});

test('arguments need the leave of the configuration, options the two dashes', async () => {
  const refused = await shop.run(sh('exit 0'), { args: ['a'] });
  expect(refused).toMatchObject({ outcome: 'rejected', error: { code: 'args_not_allowed' } });
  expect(refused.error?.message).toContain('commands.it.args');
  const it = command(['/usr/bin/env', 'printf', '--', '%s%s', '--'], { args: true });
  expect((await shop.run(it, { args: ['-o'] })).logged[0]?.fields).toMatchObject({ stdout: '---o' });
});

test.each([
  ['other', 'commands.other is not configured'],
  ['constructor', 'commands.constructor is not configured'],
  ['/bin/sh', 'commands./bin/sh is not configured'],
])('the command %s is not configured', async (name, why) => {
  const rejected = await shop.run(sh('exit 0'), { command: name });
  expect(rejected).toMatchObject({ outcome: 'rejected', error: { code: 'not_configured' } });
  expect(rejected.error?.message).toContain(why);
});

test.each([[command(['/nowhere/program'])], [command(['/bin/sh'], { cwd: '/nowhere' })], [command(['/'])]])(
  'what cannot be started may be there next time',
  async (it) => {
    const failed = await shop.run(it);
    expect(failed).toMatchObject({ outcome: 'failed', error: { code: 'command_not_startable' } });
    expect(failed.error?.message).toContain('commands.it');
  },
);

test.each([
  ['exit 3', 'failed', 'command_failed', 'it ended with exit code 3'],
  ['echo why >&2; exit 1', 'failed', 'command_failed', 'it ended with exit code 1: why'],
  ['kill -SEGV $$', 'failed', 'command_killed', 'it was ended by SIGSEGV'],
  ['exit 75', 'failed', 'retry', 'it asked for another attempt (exit code 75)'],
  [
    'echo nonsense >&3',
    'rejected',
    'command_protocol',
    'it ended well, but of what it said on descriptor 3 line 1 is no JSON',
  ],
])('%s', async (code, outcome, errorCode, message) => {
  expect(await shop.run(sh(code))).toMatchObject({ outcome, error: { code: errorCode, message } });
});

test('an input that nobody reads, and descriptors that are closed at once, are nothing', async () => {
  const input = 'x'.repeat(500_000);
  expect((await shop.run(sh('exec <&- >&- 2>&- 3>&-; exit 0'), { input })).outcome).toBe('succeeded');
  const { result } = await shop.run(node(`say({ result: JSON.parse(fs.readFileSync(0, 'utf8')).length })`), {
    input,
  });
  expect(result).toBe(500_000);
});

test('endless output is kept to its end, in memory and in the log', async () => {
  const code = `for (let i = 0; i < 2000; i++) fs.writeSync(2, 'y'.repeat(10_000)); fs.writeSync(2, 'the end'); process.exit(1);`;
  const before = process.memoryUsage().rss;
  const { error, logged } = await shop.run(node(code, { maxOutput: 2_048 }));
  const { stderr, outputCut } = (logged[0]?.fields ?? {}) as { stderr: string; outputCut: boolean };
  expect([stderr.length, stderr.endsWith('yythe end'), outputCut]).toEqual([2_048, true, true]);
  expect(error?.message.length).toBeLessThan(1_200);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});
