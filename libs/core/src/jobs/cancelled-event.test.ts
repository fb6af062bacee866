import { expect, test } from 'vitest';
import { cancelledEvent } from './cancelled-event.ts';
import { FIRST_POSITION } from './envelope.ts';

const job: Parameters<typeof cancelledEvent>[0] = {
  id: 'j',
  task: 't',
  queue: 'q',
  priority: 'normal',
  createdAt: 1,
  runAt: 2,
  ...FIRST_POSITION,
  state: 'cancelled',
  reason: { code: 'cancelled', text: 'no' },
  finishedAt: 3,
  traceId: 'a',
};

test('a job that was ended as cancelled is told of with its place; any other one is not', () => {
  const { id, state, reason, finishedAt, ...place } = job;
  expect(cancelledEvent(job)).toEqual({ kind: 'ended', job: id, ...place, state, reason, at: finishedAt });
  expect(cancelledEvent({ ...job, state: 'dead' })).toBeUndefined();
  const { reason: _, ...without } = job;
  expect(cancelledEvent(without)).toBeUndefined();
  const { finishedAt: __, ...open } = job;
  expect(cancelledEvent(open)).toBeUndefined();
});
