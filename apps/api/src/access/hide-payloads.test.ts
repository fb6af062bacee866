import { expect, test } from 'vitest';
import { hidePayloads } from './hide-payloads.ts';

const CANARY = 'canary';
const job = {
  id: 'x',
  task: 'a.b',
  input: { user: CANARY },
  meta: { note: CANARY },
  attempts: [{ number: 1, error: { name: 'E', message: 'm', stack: CANARY } }],
  result: [CANARY],
  error: { name: 'E', message: 'm', stack: CANARY },
  policy: { onSuccess: [{ task: 'c', input: CANARY }, { webhook: { url: `https://x/${CANARY}` } }] },
  progress: { value: 5 },
};

test('of a job nothing is left of what it is about, and it says what is not there', () => {
  expect(hidePayloads(job)).toEqual({
    id: 'x',
    task: 'a.b',
    input: null,
    meta: {},
    attempts: [{ number: 1, error: { name: 'E', message: 'm' } }],
    error: { name: 'E', message: 'm' },
    policy: { onSuccess: [{ task: 'c', input: null }, { webhook: { url: 'https://hidden.invalid/' } }] },
    progress: { value: 5 },
    hidden: ['input', 'meta', 'result', 'stack', 'webhook'],
  });
});

test('a concurrency key that a task has made of the input is an input; one that the call says is a name', () => {
  const text = `waits for key ${CANARY}: 1 of 1 slot is taken`;
  const policy = { concurrencyKey: { key: CANARY, limit: 3 }, from: { concurrencyKey: 'task' } };
  const parked = { attempts: [], reason: { code: 'key', text }, policy };
  expect(hidePayloads(parked)).toEqual({
    attempts: [],
    reason: { code: 'key', text: 'waits for its key: 1 of 1 slot is taken' },
    policy: { concurrencyKey: { limit: 3 }, from: { concurrencyKey: 'task' } },
    hidden: ['concurrencyKey'],
  });
  const said = { ...parked, reason: null, policy: { ...policy, from: { concurrencyKey: 'call' } } };
  expect(hidePayloads(said)).toEqual(said);
  // What a task says is the same for all its jobs.
  const task = { concurrencyKey: { key: 'host-{input.host}', limit: 1 }, policy: { from: {} } };
  expect(hidePayloads(task)).toEqual(task);
});

test.each([
  ['a list', { items: [job, { ...job, id: 'y' }], nextCursor: null }],
  [
    'a schedule',
    { name: 's', when: { cron: '* * * * *' }, job: { task: 'a', input: CANARY, meta: { a: CANARY } } },
  ],
  ['a dead letter', { diedAt: 't', job }],
  [
    'a message that never was a job',
    { diedAt: 't', message: { subject: 's', headers: { a: CANARY }, body: CANARY } },
  ],
  [
    'what is stale',
    {
      code: 'stale',
      current: { schedule: { when: {}, job: { input: CANARY } } },
      yours: { schedule: { when: {}, job: { input: CANARY } } },
    },
  ],
  ['something of tomorrow', { deep: [{ deeper: { input: CANARY, result: CANARY } }] }],
])('%s: the same', (_name, value) => {
  const shown = JSON.stringify(hidePayloads(value));
  expect(JSON.stringify(value)).toContain(CANARY);
  expect(shown).not.toContain(CANARY);
});

test('each of many says it for itself, and what hides nothing says nothing', () => {
  const bare = { id: 'z', attempts: [], input: null, meta: {} };
  expect(hidePayloads({ items: [job, bare] })).toMatchObject({
    items: [{ hidden: ['input', 'meta', 'result', 'stack', 'webhook'] }, bare],
  });
  expect(hidePayloads(bare)).toEqual(bare);
});

test('what a task takes is no payload, and names are no way into a prototype', () => {
  const task = { name: 'a', inputSchema: { properties: { input: { type: 'string' }, meta: {} } } };
  expect(hidePayloads(task)).toEqual(task);
  const labels = JSON.parse('{"when":{},"labels":{"__proto__":"x","constructor":"y"}}') as object;
  expect(JSON.stringify(hidePayloads(labels))).toBe(JSON.stringify(labels));
});
