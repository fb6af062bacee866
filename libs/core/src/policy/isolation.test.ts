import { expect, test } from 'vitest';
import type { Issue } from '../errors.ts';
import { readIsolation } from './isolation.ts';

test.each([
  ['inline', { kind: 'inline' }],
  ['thread', { kind: 'thread' }],
  ['process', { kind: 'process' }],
  [{ kind: 'inline' }, { kind: 'inline' }],
  [{ kind: 'thread' }, { kind: 'thread' }],
  [
    { kind: 'process', maxJobs: 100 },
    { kind: 'process', maxJobs: 100 },
  ],
  [
    { kind: 'process', maxMemory: '400MiB' },
    { kind: 'process', maxMemory: 400 * 1024 ** 2 },
  ],
  [
    { kind: 'process', maxMemory: '1.5GiB' },
    { kind: 'process', maxMemory: 1.5 * 1024 ** 3 },
  ],
] as const)('%j is %j', (isolation, expected) => {
  const issues: Issue[] = [];
  expect(readIsolation(isolation, '/isolation', issues)).toEqual(expected);
  expect(issues).toEqual([]);
});

test.each([
  ['fork', '/isolation', 'isolation is "inline", "thread" or "process"'],
  [7, '/isolation', 'isolation is'],
  [null, '/isolation', 'isolation is'],
  [['thread'], '/isolation', 'isolation is'],
  [{ kind: 'fork' }, '/isolation/kind', 'kind is'],
  [{ maxJobs: 3 }, '/isolation/kind', 'kind is'],
  [{ kind: 'process', maxJobs: 0 }, '/isolation/maxJobs', 'a whole number from 1'],
  [{ kind: 'process', maxJobs: 1.5 }, '/isolation/maxJobs', 'a whole number from 1'],
  [{ kind: 'process', maxMemory: 400 }, '/isolation/maxMemory', '64MiB or more'],
  [{ kind: 'process', maxMemory: '400MB' }, '/isolation/maxMemory', '64MiB or more'],
  [{ kind: 'process', maxMemory: '1MiB' }, '/isolation/maxMemory', '64MiB or more'],
  [{ kind: 'process', maxJob: 3 }, '/isolation/maxJob', 'maxJobs'],
  // It would have no effect there.
  [{ kind: 'thread', maxJobs: 3 }, '/isolation/maxJobs', 'not known'],
])('%j is refused, and says where', (value, pointer, message) => {
  const issues: Issue[] = [];
  readIsolation(value, '/isolation', issues);
  expect(issues).toHaveLength(1);
  expect(issues[0]).toMatchObject({ pointer });
  expect(JSON.stringify(issues[0])).toContain(message.replaceAll('"', '\\"'));
});
