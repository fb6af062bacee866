import { fileURLToPath, pathToFileURL } from 'node:url';
import { DEFAULT_POLICY, FIRST_POSITION, NO_SETTINGS, readSettings } from '@jetbeat/core';
import { createIsolatedRuns, defineTask, Interrupt, isTask } from '@jetbeat/task';
import { builtInTasks } from '@jetbeat/tasks';
import { afterAll, expect, test } from 'vitest';
import { loadTaskSet } from './task-set.ts';

const file = fileURLToPath(new URL('../../../test/faults/isolation-tasks.ts', import.meta.url));
const builtInParams = { http: { allowHosts: [], allowLoopback: false } };
const builtIn = builtInTasks(builtInParams);
afterAll(() => builtIn.close());

const load = (...given: Parameters<typeof loadTaskSet>[0]['given']) =>
  loadTaskSet({ paths: [file], base: process.cwd(), builtIn, builtInParams, given, settings: NO_SETTINGS });

test('every task of a module or of Jetbeat is found again in a child; a given one runs inline', async () => {
  const { tasks, sources } = await load(defineTask({ name: 'given.a', run: () => {} }));
  expect([...tasks.keys()]).toEqual(expect.arrayContaining(['system.echo', 'isolated.pid', 'given.a']));
  expect(sources.get('isolated.pid')).toEqual({ module: pathToFileURL(file).href });
  expect(sources.has('given.a')).toBe(false);
  const source = sources.get('system.echo');
  if (!source) throw new Error('system.echo has no source');
  const runs = createIsolatedRuns({ max: 1 });
  const now = Date.now();
  const line = () => {};
  const execution = await runs.execute({
    isolation: { kind: 'process' },
    source,
    job: {
      v: 1,
      id: '01997f00-0000-7000-8000-000000000001',
      task: 'system.echo',
      queue: 'default',
      priority: 'normal',
      input: { a: 1 },
      createdAt: now,
      runAt: now,
      ...FIRST_POSITION,
    },
    runId: 'run-1',
    policy: DEFAULT_POLICY,
    log: () => ({ debug: line, info: line, warn: line, error: line }),
    enqueue: async ({ envelope: { id } }) => ({ id, created: true }),
    interrupt: new Interrupt(),
  });
  await runs.stop();
  expect(execution).toEqual({ outcome: 'succeeded', result: { a: 1 } });
});

test('a given task with an isolation stops the worker, and the message says what to do', async () => {
  const given = defineTask({ name: 'given.a', run: () => {}, isolation: 'process' });
  await expect(load(given)).rejects.toThrow(
    'the task given.a has isolation "process" but was given in memory, where no process finds it: export it from a module that JETBEAT_TASKS names',
  );
  await expect(load(given)).rejects.toMatchObject({ code: 'task_load' });
});

test('the configuration says where handlers run, above and below what the tasks say', async () => {
  const settings = readSettings({
    tasks: { 'isolated.pid': { isolation: 'thread' }, 'isolated.spin-process': { isolation: 'inline' } },
    defaults: { isolation: { kind: 'process', maxJobs: 9 } },
  });
  const { tasks } = await loadTaskSet({
    paths: [file],
    base: process.cwd(),
    builtIn,
    builtInParams,
    given: [],
    settings,
  });
  const isolation = (name: string) => tasks.get(name)?.isolation;
  expect(isolation('isolated.pid')).toEqual({ kind: 'thread' });
  expect(isolation('isolated.spin-process')).toEqual({ kind: 'inline' });
  expect(isolation('isolated.spin-thread')).toEqual({ kind: 'thread' });
  expect(isolation('system.echo')).toEqual({ kind: 'process', maxJobs: 9 });
  expect(isTask(tasks.get('system.echo'))).toBe(true);
  const given = [defineTask({ name: 'given.a', run: () => {} })];
  await expect(
    loadTaskSet({ paths: [], base: process.cwd(), builtIn, builtInParams, given, settings }),
  ).rejects.toThrow('the task given.a has isolation "process" but was given in memory');
});
