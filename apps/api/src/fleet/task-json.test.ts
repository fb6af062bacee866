import { readSettings } from '@jetbeat/core';
import { expect, test } from 'vitest';
import { listedTaskJson, taskJson } from './task-json.ts';

test('a list leaves out an input schema that is large, and says so', () => {
  const schemaOf = (length: number) => ({ description: 'x'.repeat(length) });
  const tasks = new Map(
    [4_078, 4_079].map((length) => [
      `t.${length}`,
      { name: `t.${length}`, inputSchema: schemaOf(length), seenAt: 0 },
    ]),
  );
  const known = {
    limits: undefined,
    fleet: { tasks, served: new Map() },
    caller: {},
    settings: readSettings({}),
  };
  const large = listedTaskJson('t.4079', known);
  expect(large).toMatchObject({ name: 't.4079', cut: ['inputSchema'] });
  expect(large).not.toHaveProperty('inputSchema');
  expect(taskJson('t.4079', known)).toMatchObject({ inputSchema: schemaOf(4_079) });
  // 4,096 characters of JSON.
  expect(listedTaskJson('t.4078', known)).toEqual(taskJson('t.4078', known));
  expect(listedTaskJson('t.none', known)).not.toHaveProperty('cut');
});
