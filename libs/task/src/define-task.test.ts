import type { InputOf } from '@jetbeat/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Type } from 'typebox';
import { expect, expectTypeOf, test } from 'vitest';
import { defineTask } from './define-task.ts';
import { isTask, taskInfo } from './task.ts';
import { runTask } from './testing.ts';

/** A Standard Schema that turns a text into its number, asynchronously. */
const numeric = {
  '~standard': {
    version: 1,
    vendor: 'test',
    async validate(value: unknown) {
      const number = Number(value);
      if (typeof value === 'string' && Number.isFinite(number)) return { value: { number } };
      return { issues: [{ message: 'is a number in a text', path: ['a/b', { key: 0 }] }] };
    },
    jsonSchema: { input: () => ({ type: 'string' }), output: () => ({}) },
  },
} as unknown as StandardSchemaV1<string, { number: number }>;

test('what is defined is a frozen task with its policy in milliseconds', () => {
  const task = defineTask({
    name: 'report.send',
    input: Type.Object({ to: Type.String() }),
    queue: 'mail',
    priority: 'high',
    retry: { attempts: 4, backoff: 'exponential', delay: '5s', factor: 2, max: '10m', jitter: true },
    timeout: { soft: '55m', hard: '60m' },
    run: (input) => input.to,
  });
  expect(isTask(task)).toBe(true);
  expect(Object.isFrozen(task)).toBe(true);
  const policy = {
    retry: { attempts: 4, backoff: 'exponential', delay: 5_000, factor: 2, max: 600_000, jitter: true },
    timeout: { soft: 3_300_000, hard: 3_600_000 },
  };
  expect(taskInfo(task)).toMatchObject({ name: 'report.send', queue: 'mail', priority: 'high', policy });
  expect(JSON.parse(JSON.stringify(taskInfo(task).inputSchema))).toEqual({
    type: 'object',
    properties: { to: { type: 'string' } },
    required: ['to'],
  });
});

test('a task that says little has little to say', () => {
  expect(taskInfo(defineTask({ name: 'a', run: () => {} }))).toEqual({ name: 'a' });
  for (const other of [null, 1, {}, { name: 'a', run() {} }]) expect(isTask(other)).toBe(false);
});

test('everything wrong is named at once, with what was probably meant', () => {
  const define = () =>
    defineTask({
      name: 'no good',
      input: 'text' as never,
      queue: 'a.b',
      priority: 'urgent' as never,
      retries: 3,
      isolation: 'fibre' as never,
      retry: { attempts: 0, dely: '5s', factor: 0.5, jitter: 'yes', backoff: 'quadratic', max: 5 } as never,
      timeout: { soft: '2h', hard: '1h' },
      run: undefined as never,
    } as Parameters<typeof defineTask>[0]);
  expect(define).toThrow(/^the task "no good" cannot be accepted: /);
  const issues = (() => {
    try {
      define();
      return [];
    } catch (error) {
      return (error as { issues: { pointer: string; suggestion?: string }[] }).issues;
    }
  })();
  const pointers = ['/backoff', '/jitter', '/factor', '/attempts', '/max', '/dely'].map(
    (field) => `/retry${field}`,
  );
  const expected = [
    ...pointers,
    '/timeout/soft',
    '/name',
    '/input',
    '/queue',
    '/priority',
    '/retries',
    '/isolation',
    '/run',
  ];
  expect(issues.map(({ pointer }) => pointer).sort()).toEqual(expected.sort());
  expect(issues.find(({ pointer }) => pointer === '/retry/dely')?.suggestion).toBe('delay');
  expect(issues.find(({ pointer }) => pointer === '/retries')?.suggestion).toBe('retry');
});

test('a Standard Schema checks, transforms and tells its JSON Schema', async () => {
  const task = defineTask({ name: 'a', input: numeric, run: (input) => input.number + 1 });
  expect(await task.check('41')).toEqual({ value: { number: 41 } });
  expect(await task.check(41)).toEqual({
    issues: [{ pointer: '/a~1b/0', code: 'invalid_value', message: 'is a number in a text' }],
  });
  expect(task.inputSchema()).toEqual({ type: 'string' });
  expect((await runTask(task, '41')).result).toBe(42);
});

test('a Standard Schema without a JSON form still checks', async () => {
  const schema = { '~standard': { ...numeric['~standard'], jsonSchema: { input: () => JSON.parse('{') } } };
  expect(defineTask({ name: 'a', input: schema, run: () => {} }).inputSchema()).toBeUndefined();
});

test('an unknown field of a TypeBox schema is named with what was probably meant', async () => {
  const input = Type.Object(
    { address: Type.String(), deep: Type.Optional(Type.Object({}, { additionalProperties: false })) },
    { additionalProperties: false },
  );
  const task = defineTask({ name: 'a', input, run: () => {} });
  expect(await task.check({ address: 'x', adress: 'x', deep: { other: 1 } })).toEqual({
    issues: expect.arrayContaining([
      expect.objectContaining({ pointer: '/adress', code: 'unknown_field', suggestion: 'address' }),
      expect.objectContaining({ pointer: '/deep/other', code: 'unknown_field' }),
    ]),
  });
  expect(await task.check({})).toMatchObject({ issues: [{ code: 'invalid_value' }] });
});

test('types come from the schema', () => {
  const box = defineTask({
    name: 'a',
    input: Type.Object({ to: Type.String() }),
    run: (input) => ({ sent: input.to }),
  });
  expectTypeOf<InputOf<typeof box>>().toEqualTypeOf<{ to: string }>();
  const standard = defineTask({
    name: 'a',
    input: numeric,
    run(input) {
      expectTypeOf(input).toEqualTypeOf<{ number: number }>();
    },
  });
  expectTypeOf<InputOf<typeof standard>>().toEqualTypeOf<string>();
  const json = defineTask({
    name: 'a',
    input: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
    run: (input) => input.n,
  });
  expectTypeOf<InputOf<typeof json>['n']>().toEqualTypeOf<number>();
  const free = defineTask({ name: 'a', run: (input) => input });
  expectTypeOf<InputOf<typeof free>>().toEqualTypeOf<unknown>();
  expect([box, standard, json, free].every(isTask)).toBe(true);
});
