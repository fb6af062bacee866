import { type Call, childJobId, FIRST_POSITION, type JobEnvelope } from '@jetbeat/core';
import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { openChildCalls } from './child-calls.ts';
import { defineTask } from './define-task.ts';
import { manualClock, runTask } from './testing.ts';

const PARENT: JobEnvelope = {
  v: 1,
  id: '01997f00-0000-7000-8000-000000000001',
  task: 'parent',
  queue: 'default',
  priority: 'normal',
  input: null,
  createdAt: 0,
  runAt: 0,
  ...FIRST_POSITION,
};
const mail = defineTask({
  name: 'mail.send',
  queue: 'mail',
  input: Type.Object({ to: Type.String() }),
  run: () => {},
});

function open(enqueue: (call: Call) => Promise<void> = async () => {}) {
  const stored: Call[] = [];
  const calls = openChildCalls({
    job: PARENT,
    runId: 'run-1',
    clock: manualClock(5_000),
    enqueue: async (call) => {
      await enqueue(call);
      stored.push(call);
      return { id: call.envelope.id, created: true };
    },
  });
  return { calls, stored };
}

test('a repeated attempt makes the same ids in the same order', async () => {
  const ids = async () => {
    const { calls } = open();
    const made = [
      calls.enqueue(mail, { to: 'a' }),
      calls.enqueue(mail, { to: 'b' }),
      calls.enqueue('other', 1),
    ];
    return (await Promise.all(made)).map(({ id }) => id);
  };
  const first = await ids();
  expect(first).toEqual(await ids());
  expect(first).toEqual(['mail.send:1', 'mail.send:2', 'other:1'].map((key) => childJobId(PARENT.id, key)));
});

test('a key names the call whatever the order', async () => {
  const { calls, stored } = open();
  const { id } = await calls.enqueue(mail, { to: 'a' }, { key: 'a', delay: '10s', priority: 'high' });
  expect(id).toBe(childJobId(PARENT.id, 'key:a'));
  expect(stored[0]).toMatchObject({
    at: 15_000,
    envelope: {
      id,
      task: 'mail.send',
      queue: 'mail',
      priority: 'high',
      parent: PARENT.id,
      createdAt: 5_000,
      runAt: 15_000,
    },
  });
});

test('wrong inputs, options and keys are refused', async () => {
  const { calls, stored } = open();
  await expect(calls.enqueue('mail.send', {}, { key: '' })).rejects.toThrow('key is a text');
  await expect(calls.enqueue(mail, { to: 1 as unknown as string })).rejects.toThrow('/to: must be string');
  await expect(calls.enqueue(mail, { to: 'a' }, { prioritiy: 'high' } as object)).rejects.toThrow(
    'did you mean "priority"?',
  );
  expect(stored).toEqual([]);
});

test('what the handler does not wait for is stored before the job succeeds', async () => {
  const task = defineTask({
    name: 'parent',
    async run(_, ctx) {
      void ctx.enqueue(mail, { to: 'a' });
    },
  });
  const run = await runTask(task, null);
  expect(run.outcome).toBe('succeeded');
  expect(run.enqueued.map((call) => call.envelope.input)).toEqual([{ to: 'a' }]);
});

test('a job that could not be stored fails the attempt even if the handler did not wait for it', async () => {
  const { calls } = open(() => Promise.reject(new Error('no room')));
  calls.enqueue(mail, { to: 'a' }).catch(() => {});
  await expect(calls.settled()).rejects.toThrow('no room');
});

test('after the end of the attempt every call is refused, also one that was being checked', async () => {
  const { calls, stored } = open();
  const late = calls.enqueue(mail, { to: 'a' });
  calls.close();
  await expect(late).rejects.toMatchObject({ code: 'attempt_over' });
  await expect(calls.enqueue(mail, { to: 'a' })).rejects.toThrow('run-1 has ended');
  expect(stored).toEqual([]);
});
