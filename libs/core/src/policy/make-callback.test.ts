import { expect, test } from 'vitest';
import { callbackJobId } from '../ids.ts';
import { type EndedJob, makeCallback, tellEnd } from './make-callback.ts';
import { callbacksOf, NO_SETTINGS } from './settings.ts';
import { readSettings } from './settings-input.ts';

const ID = '019ddd8e-0000-7000-8000-000000000000';
const NOW = Date.UTC(2026, 4, 4);
const ended: EndedJob = {
  id: ID,
  task: 'a',
  queue: 'q',
  state: 'succeeded',
  attempt: 2,
  createdAt: NOW - 2_000,
  finishedAt: NOW - 1_000,
  result: { n: 1 },
};
const make = (callback: object, more: Partial<EndedJob> = {}, index = 0) =>
  makeCallback({
    callback,
    kind: 'onSuccess',
    index,
    settings: NO_SETTINGS,
    now: NOW,
    ended: { ...ended, ...more },
  });

test('the same callback of the same job has one id, others have others', async () => {
  const { envelope } = await make({ task: 'b' });
  expect((await make({ task: 'c' })).envelope.id).toBe(envelope.id);
  expect(envelope.id).toBe(callbackJobId(ID, 'onSuccess', 0));
  expect(envelope.id.slice(0, 13)).toBe(ID.slice(0, 13));
  const others = [callbackJobId(ID, 'onFailure', 0), (await make({ task: 'b' }, {}, 1)).envelope.id];
  expect(new Set([envelope.id, ...others]).size).toBe(3);
});

test('its job leads to the one that has ended, knows of it, and calls nothing itself', async () => {
  const { envelope } = await make({
    task: 'b',
    input: { mine: 1 },
    queue: 'x',
    priority: 'low',
    retry: { attempts: 2 },
  });
  expect(envelope).toMatchObject({
    task: 'b',
    queue: 'x',
    priority: 'low',
    parent: ID,
    createdAt: NOW,
    runAt: NOW,
    input: {
      mine: 1,
      parent: { id: ID, state: 'succeeded', result: { n: 1 }, finishedAt: '2026-05-03T23:59:59.000Z' },
    },
    policy: { retry: { attempts: 2 }, onSuccess: [], onFailure: [] },
  });
  expect((await make({ task: 'b', pass: false })).envelope.input).toBe(null);
});

test('of a task that is known its own place holds', async () => {
  const made = await makeCallback({
    callback: { task: 'b' },
    kind: 'onFailure',
    index: 0,
    ended,
    settings: NO_SETTINGS,
    now: NOW,
    known: (name) => ({
      name,
      queue: 'own',
      priority: 'high',
      policy: { expires: 5 },
      check: () => ({ issues: [] }),
    }),
  });
  expect(made.envelope).toMatchObject({ queue: 'own', priority: 'high', expiresAt: NOW + 5 });
});

test('what is told is bounded, without a stack, and of each end what belongs to it', () => {
  const error = { name: 'E', message: 'm', code: 'c', stack: 'secret path' };
  expect(tellEnd({ ...ended, error })).not.toHaveProperty('error');
  const failed = tellEnd({ ...ended, state: 'dead', error, reason: { code: 'r', text: 't' } });
  expect(failed).toMatchObject({ error: { name: 'E', message: 'm', code: 'c' }, reason: { code: 'r' } });
  expect(failed.error).not.toHaveProperty('stack');
  const nameless = tellEnd({ ...ended, state: 'expired', error: { name: 'E', message: 'm' } });
  expect(nameless.error).toEqual({ name: 'E', message: 'm' });
  expect(failed).not.toHaveProperty('result');
  expect(tellEnd({ ...ended, result: 'x'.repeat(70_000) }).result).toEqual({
    truncated: true,
    bytes: 70_002,
  });
  expect(tellEnd({ ...ended, result: undefined })).not.toHaveProperty('result');
});

test('of all layers the first that says something holds', () => {
  const one = (task: string) => [{ task }];
  const settings = readSettings({
    tasks: { 'set.*': { onFailure: { task: 'over' } } },
    defaults: { onFailure: one('under'), onSuccess: [] },
    queues: { q: { onFailure: { task: 'queue' } } },
  });
  const of = (task: string, call?: object, own?: object, queue = 'q') =>
    callbacksOf('onFailure', call, settings.of(task), own, settings.queue(queue)).map((found) => found.task);
  expect(of('set.a', { onFailure: one('call') }, { onFailure: one('task') })).toEqual(['call']);
  expect(of('set.a', { onFailure: [] }, { onFailure: one('task') })).toEqual([]);
  expect(of('set.a', { onSuccess: one('call') }, { onFailure: one('task') })).toEqual(['over']);
  expect(of('a', undefined, { onFailure: one('task') })).toEqual(['task']);
  expect(of('a')).toEqual(['queue']);
  expect(of('a', undefined, undefined, 'other')).toEqual(['under']);
  expect(callbacksOf('onSuccess', undefined, NO_SETTINGS.of('a'), undefined, NO_SETTINGS.queue('q'))).toEqual(
    [],
  );
});

test('wrong queues of the settings are named', () => {
  expect(() => readSettings({ queues: { 'a b': {} } })).toThrow('queues.a b');
  expect(() => readSettings({ queues: { a: { onFailure: { tusk: 'a' } } as object } })).toThrow('"tusk"');
  expect(() => readSettings({ queues: { a: { onDeath: {} } as object } })).toThrow('"onDeath"');
  expect(() => readSettings({ queues: [] as unknown as object } as object)).toThrow('names of queues');
});

test('a webhook is a request that tells the same, and names its secret', async () => {
  const { envelope } = await make({
    webhook: { url: 'https://example.org/', secret: 'it' },
    retry: { attempts: 9 },
  });
  expect(envelope).toMatchObject({ task: 'http.request', policy: { retry: { attempts: 9 } } });
  expect(envelope.input).toMatchObject({
    method: 'POST',
    url: 'https://example.org/',
    headers: { 'jetbeat-id': envelope.id },
    sign: 'it',
    body: { id: envelope.id, event: 'job.succeeded', job: { id: ID, result: { n: 1 } } },
  });
  const plain = await make({
    webhook: { url: 'https://example.org/' },
    queue: 'hooks',
    timeout: { hard: '5s' },
  });
  expect(plain.envelope.input).not.toHaveProperty('sign');
  expect(plain.envelope).toMatchObject({ queue: 'hooks', policy: { timeout: { hard: 5_000 } } });
});

test('what is known of a task may be no more than its name', async () => {
  const made = await makeCallback({
    callback: { task: 'b' },
    kind: 'onFailure',
    index: 0,
    ended,
    settings: NO_SETTINGS,
    now: NOW,
    known: (name) => (name === 'b' ? { name } : undefined),
  });
  expect(made.envelope.queue).toBe('default');
});
