import { expect, test } from 'vitest';
import {
  MAX_CONCURRENCY,
  MAX_WORKER_QUEUES,
  readCommand,
  readWorkerAnswer,
  wrongQueues,
} from './worker-control.ts';

test('commands are read, and what is none is none', () => {
  for (const what of ['look', 'drain', 'resume', 'stop'])
    expect(readCommand({ do: what, value: 3 })).toEqual({ do: what });
  expect(readCommand({ do: 'concurrency', value: 3 })).toEqual({ do: 'concurrency', value: 3 });
  expect(readCommand({ do: 'queues', add: ['a'], remove: [] })).toEqual({
    do: 'queues',
    add: ['a'],
    remove: [],
  });
  const many = Array.from({ length: MAX_WORKER_QUEUES + 1 }, (_, n) => `q${n}`);
  const none = [
    ...[undefined, null, 'drain', {}, { do: 'die' }, { do: 'concurrency' }, { do: 'concurrency', value: 0 }],
    ...[
      { do: 'concurrency', value: 1.5 },
      { do: 'concurrency', value: MAX_CONCURRENCY + 1 },
    ],
    ...[
      { do: 'queues', add: ['a.b'], remove: [] },
      { do: 'queues', add: [], remove: [1] },
    ],
    ...[
      { do: 'queues', add: many, remove: [] },
      { do: 'queues', add: 'a', remove: [] },
    ],
  ];
  for (const given of none) expect(readCommand(given)).toBeUndefined();
});

test('answers are read, and what is none is none', () => {
  const report = {
    worker: 'w',
    state: 'running',
    queues: ['a'],
    concurrency: 1,
    held: 0,
    running: 0,
    givenBack: 0,
    changed: false,
    jobs: [],
  } as const;
  expect(readWorkerAnswer({ report })).toEqual({ report });
  expect(readWorkerAnswer({ refused: 'no' })).toEqual({ refused: 'no' });
  for (const given of [undefined, null, 3, {}, { report: null }, { report: { queues: [] } }, { refused: 1 }])
    expect(readWorkerAnswer(given)).toBeUndefined();
});

test('a worker has some queues, and not too many', () => {
  expect(wrongQueues(['a'])).toBeUndefined();
  expect(wrongQueues([])).toContain('drain it');
  expect(wrongQueues(Array.from({ length: MAX_WORKER_QUEUES + 1 }, () => 'a'))).toContain('256');
});
