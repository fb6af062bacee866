import { expect, test } from 'vitest';
import { InvalidInputError } from '../errors.ts';
import { readSettings } from '../policy/settings-input.ts';
import { type Call, makeCall, makeCallNow, summary } from './call.ts';
import type { CallOptions } from './call-options.ts';
import type { TaskRef } from './task-ref.ts';

const ID = '01997f00-0000-7000-8000-000000000001';
const NOW = Date.UTC(2026, 0, 1);
const MAIL: TaskRef = { name: 'mail.send', queue: 'mail', priority: 'low' };
const call = (options?: CallOptions, input: unknown = { to: 'a' }, task: TaskRef | string = MAIL) =>
  makeCall({ task, input, options, id: ID, now: NOW });

test('the call wins over the task, and the task over the defaults', async () => {
  const base = { v: 1, id: ID, input: { to: 'a' }, createdAt: NOW, runAt: NOW, attempt: 1, run: 1, parks: 0 };
  expect(await call()).toMatchObject({
    envelope: { ...base, task: 'mail.send', queue: 'mail', priority: 'low' },
  });
  expect(await call({}, { to: 'a' }, 'other')).toMatchObject({
    envelope: { ...base, task: 'other', queue: 'default', priority: 'normal' },
  });
  expect(await call({ queue: 'q', priority: 'high', meta: { a: 'b' } })).toMatchObject({
    envelope: { ...base, task: 'mail.send', queue: 'q', priority: 'high', meta: { a: 'b' } },
  });
  const child = await makeCall({ task: MAIL, input: 1, id: ID, now: NOW, parent: ID });
  expect(child.envelope.parent).toBe(ID);
  expect(JSON.parse(child.text)).toEqual(child.envelope);
});

test('without a check, or with one that answers at once, no promise is made', async () => {
  const params = { input: { to: 'a' }, id: ID, now: NOW };
  const issues = [{ pointer: '/to', code: 'invalid_value', message: 'must be string' }];
  const plain = makeCallNow({ ...params, task: MAIL });
  expect(plain).toEqual(await makeCall({ ...params, task: MAIL }));
  const now = { ...MAIL, check: (value: unknown) => ({ value }) };
  expect(makeCallNow({ ...params, task: now })).toEqual(plain);
  const later = { ...MAIL, check: async (value: unknown) => ({ value }) };
  const promised = makeCallNow({ ...params, task: later });
  expect(promised).toBeInstanceOf(Promise);
  expect(await promised).toEqual(plain);
  const wrong = { ...MAIL, check: () => ({ issues }) };
  expect(() => makeCallNow({ ...params, task: wrong })).toThrow('/to: must be string');
});

test('a delay or a time to come makes a timer; a time that is over does not', async () => {
  expect(await call({ delay: '10s' })).toMatchObject({ at: NOW + 10_000, envelope: { runAt: NOW + 10_000 } });
  expect(await call({ runAt: new Date(NOW + 1) })).toMatchObject({
    at: NOW + 1,
    envelope: { runAt: NOW + 1 },
  });
  for (const options of [{ delay: '0s' }, { runAt: new Date(NOW - 1) }]) {
    const { at, envelope } = await call(options);
    expect([at, envelope.runAt]).toEqual([undefined, NOW]);
  }
});

test('the input becomes what it will be on the wire before it is checked', async () => {
  const seen: unknown[] = [];
  const check = async (input: unknown) => {
    seen.push(input);
    return { value: 'something else' };
  };
  const { envelope } = await call({}, { at: new Date(0), none: undefined }, { name: 'a', check });
  expect(seen).toEqual([{ at: '1970-01-01T00:00:00.000Z' }]);
  expect(envelope.input).toEqual(seen[0]);
  expect((await call({}, undefined)).envelope.input).toBeDefined();
  expect((await makeCall({ task: 'a', input: undefined, id: ID, now: NOW })).envelope.input).toBeNull();
});

test('an input that the task refuses is refused with its places', async () => {
  const issues = [{ pointer: '/to', code: 'invalid_value', message: 'must be string' }];
  const refused = call({}, {}, { name: 'a', check: async () => ({ issues }) });
  await expect(refused).rejects.toThrow('the input of a cannot be accepted: /to: must be string');
  await expect(refused).rejects.toMatchObject({ issues });
});

const cycle: { self?: unknown } = {};
cycle.self = cycle;
const throwing = {
  toJSON() {
    throw 'a text';
  },
};

test.each([
  ['a BigInt', 1n, 'BigInt'],
  ['a cycle', cycle, 'circular'],
  ['a function', () => 1, 'it is a function'],
  ['an object that throws', throwing, 'a text'],
  ['nesting without end', JSON.parse('['.repeat(32) + ']'.repeat(32)), 'nested deeper than 31 levels'],
])('%s is no input', async (_, input, text) => {
  await expect(call({}, input)).rejects.toThrow(text);
  await expect(call({}, input)).rejects.toBeInstanceOf(InvalidInputError);
});

test.each([
  [{ delya: '1s' }, '/delya'],
  [{ delay: 'soon' }, '/delay'],
  [{ delay: 5 }, '/delay'],
  [{ delay: '1s', runAt: new Date(NOW) }, '/delay'],
  [{ runAt: '2026-01-01' }, '/runAt'],
  [{ runAt: new Date(Number.NaN) }, '/runAt'],
  [{ runAt: new Date(NOW + 3_651 * 86_400_000) }, '/runAt'],
  [{ expires: 'soon' }, '/expires'],
  [{ expires: '0s' }, '/expires'],
  [{ expires: 5 }, '/expires'],
  [{ expires: new Date(Number.NaN) }, '/expires'],
  [{ expires: new Date(NOW) }, '/expires'],
  [{ expires: new Date(NOW + 60_000), delay: '2m' }, '/expires'],
  [{ expires: new Date(NOW + 3_651 * 86_400_000) }, '/expires'],
  [{ retry: { atempts: 5 } }, '/retry/atempts'],
  [{ timeout: { hard: 'x' } }, '/timeout/hard'],
  [{ queue: 'a.b' }, '/queue'],
  [{ priority: 'urgent' }, '/priority'],
  [{ meta: { a: 1 } }, '/meta/a'],
  [{ meta: { 'a b': 'x' } }, '/meta/a b'],
  [{ meta: { a: 'x'.repeat(1_025) } }, '/meta/a'],
  [{ meta: null }, '/meta'],
  [{ meta: 'a' }, '/meta'],
  [{ meta: ['a'] }, '/meta'],
  [{ meta: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, ''])) }, '/meta'],
])('options %j are refused at %s', async (options, pointer) => {
  await expect(call(options as CallOptions)).rejects.toMatchObject({ issues: [{ pointer }] });
});

test('a name that is none is refused', async () => {
  await expect(call({}, 1, 'no good')).rejects.toThrow('"no good" is not a task name');
});

test('a summary shows three issues and counts the rest', () => {
  const issues = ['', '/b', '/c', '/d', '/e'].map((pointer) => ({ pointer, code: 'x', message: 'm' }));
  expect(summary('it', issues)).toBe('it cannot be accepted: m; /b: m; /c: m (and 2 more)');
});

test('a job expires so long after its run time, or at a time', async () => {
  const expiresAt = async (options: CallOptions) => (await call(options)).envelope.expiresAt;
  expect(await expiresAt({ expires: '3h' })).toBe(NOW + 10_800_000);
  expect(await expiresAt({ expires: '3h', delay: '1h' })).toBe(NOW + 14_400_000);
  expect(await expiresAt({ expires: new Date(NOW + 5) })).toBe(NOW + 5);
  expect(await expiresAt({})).toBeUndefined();
  const expiring = { ...MAIL, policy: { expires: 7 } };
  expect((await call({ delay: '1s' }, 1, expiring)).envelope.expiresAt).toBe(NOW + 1_007);
  expect((await call({ expires: '1s' }, 1, expiring)).envelope.expiresAt).toBe(NOW + 1_000);
});

test('what the call says of retry and time limits travels with the job, in milliseconds', async () => {
  const { envelope, text } = await call({
    retry: { delay: ['1s', '2s'] },
    timeout: { soft: '1m' },
    expires: '1h',
  });
  expect(envelope.policy).toEqual({ retry: { delay: [1_000, 2_000] }, timeout: { soft: 60_000 } });
  expect(JSON.parse(text)).toEqual(envelope);
  expect((await call({ retry: { attempts: 1 } })).envelope.policy).toEqual({ retry: { attempts: 1 } });
});

test('configuration stands between the call and the task, its defaults below the task', async () => {
  const settings = readSettings({
    routing: { 'mail.*': 'post' },
    tasks: { 'mail.*': { expires: '1m' } },
    defaults: { queue: 'rest', priority: 'high', expires: '2m' },
  });
  const made = (task: TaskRef | string, options?: CallOptions) =>
    makeCallNow({ task, input: 1, options, id: ID, now: NOW, settings }) as Call;
  const places = [made(MAIL), made(MAIL, { queue: 'q' }), made('other'), made({ name: 'o', queue: 'own' })];
  expect(places.map(({ envelope: { queue, priority, expiresAt } }) => [queue, priority, expiresAt])).toEqual([
    ['post', 'low', NOW + 60_000],
    ['q', 'low', NOW + 60_000],
    ['rest', 'high', NOW + 120_000],
    ['own', 'high', NOW + 120_000],
  ]);
});

test('a call carries its key, and what it wants of it is beside the job', async () => {
  const { envelope, unique, text } = await call({ uniqueKey: { key: 'a', while: 'queued' } });
  expect(envelope.unique).toEqual({ key: 'a', scope: 'task', mode: 'queued' });
  expect(unique).toEqual({ ...envelope.unique, onConflict: 'existing' });
  expect(JSON.parse(text)).toEqual(envelope);
  const debounced = await call({ debounce: { key: 'a', delay: '5s' }, expires: '1m' });
  expect([debounced.at, debounced.envelope.runAt]).toEqual([NOW + 5_000, NOW + 5_000]);
  expect(debounced.envelope.expiresAt).toBe(NOW + 65_000);
  // Of those of which the last is kept, one runs at a time.
  const [first, same, other] = await Promise.all(['a', 'a', 'b'].map((keepLast) => call({ keepLast })));
  expect(first?.envelope.policy?.concurrency?.limit).toBe(1);
  expect(first?.envelope.policy).toEqual(same?.envelope.policy);
  expect(first?.envelope.policy).not.toEqual(other?.envelope.policy);
});
