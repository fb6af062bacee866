import { expect, test } from 'vitest';
import { InvalidInputError } from '../errors.ts';
import { expiresOf, isolationOf, NO_SETTINGS, placeOf, policyOf } from './settings.ts';
import { readSettings, type SettingsInput } from './settings-input.ts';

const settings = readSettings({
  routing: { 'media.*': 'media', 'media.urgent': 'urgent', '*.sync': 'sync' },
  tasks: {
    'media.*': { priority: 'low', timeout: { hard: '2h' }, expires: '3h' },
    'media.sync': { retry: { attempts: 2 } },
    '*.report': { queue: 'reports' },
  },
  defaults: { queue: 'slow', priority: 'high', retry: { attempts: 9, delay: '1s' }, expires: '1d' },
});

test('the exact name holds, else the first pattern in the order of the file; one entry counts', () => {
  const queue = (task: string) => settings.of(task).over.queue;
  expect([queue('media.urgent'), queue('media.sync'), queue('library.sync'), queue('other')]).toEqual([
    ...['urgent', 'media', 'sync', undefined],
  ]);
  expect(queue('daily.report')).toBe('reports');
  expect(settings.of('media.sync').over).toEqual({ queue: 'media', policy: { retry: { attempts: 2 } } });
  expect(settings.of('media.x').over.policy).toEqual({ timeout: { hard: 7_200_000 }, expires: 10_800_000 });
});

test('call > configuration of the task > task > configured defaults > built in', () => {
  const task = { queue: 'own', priority: 'normal', policy: { expires: 5 } } as const;
  const media = settings.of('media.x');
  const other = settings.of('other');
  expect(placeOf({ queue: 'q', priority: 'high' }, media, task)).toEqual({ queue: 'q', priority: 'high' });
  expect(placeOf({}, media, task)).toEqual({ queue: 'media', priority: 'low' });
  expect(placeOf({}, other, task)).toEqual({ queue: 'own', priority: 'normal' });
  expect(placeOf({}, other)).toEqual({ queue: 'slow', priority: 'high' });
  expect(placeOf({}, NO_SETTINGS.of('x'))).toEqual({ queue: 'default', priority: 'normal' });
  expect(expiresOf(media, task.policy)).toBe(10_800_000);
  expect(expiresOf(other, task.policy)).toBe(5);
  expect(expiresOf(other, undefined)).toBe(86_400_000);
  expect(expiresOf(NO_SETTINGS.of('x'), undefined)).toBeUndefined();

  const own = { retry: { attempts: 3, max: 7_000 }, timeout: { hard: 1 } };
  const { retry, timeout } = policyOf({ retry: { attempts: 1 } }, media, own);
  expect([retry.attempts, retry.max, retry.delay, retry.factor, timeout.hard]).toEqual([
    ...[1, 7_000, 1_000, 2, 7_200_000],
  ]);
  expect(policyOf(undefined, settings.of('media.sync'), own).retry.attempts).toBe(2);
  expect(policyOf(undefined, other, own).retry.attempts).toBe(3);
  expect(policyOf(undefined, other, undefined).retry.attempts).toBe(9);
});

test('the configuration of a task may say its rate and its key', () => {
  const rateLimit = { limit: 5, period: '1m' };
  const { over } = readSettings({ tasks: { 'mail.*': { rateLimit, concurrencyKey: 'to-{input.to}' } } }).of(
    'mail.send',
  );
  expect(over.policy).toEqual({
    concurrency: { key: 'to-{input.to}', limit: 1 },
    rate: { limit: 5, periodMs: 60_000, per: 'task' },
  });
});

test('what was found for a name is remembered, of however many names', () => {
  expect(settings.of('media.x')).toBe(settings.of('media.x'));
  for (let index = 0; index < 10_001; index++) settings.of(`media.n${index}`);
  expect(settings.of('media.n0').over.queue).toBe('media');
});

test('nothing said is nothing configured', () => {
  for (const input of [{}, { routing: {} }, { tasks: {}, defaults: {} }]) {
    expect(readSettings(input)).toBe(NO_SETTINGS);
  }
});

test.each<[string, unknown, string, string?]>([
  ['an unknown section', { rooting: {} }, '/rooting', 'routing'],
  ['no mapping at all', ['routing'], ''],
  ['a list of patterns', { routing: ['a'] }, '/routing'],
  ['nothing for patterns', { tasks: null }, '/tasks'],
  ['a pattern that is none', { routing: { 'media.?': 'a' } }, '/routing/media.?'],
  ['a pattern with a slash', { tasks: { 'media/x': {} } }, '/tasks/media~1x'],
  ['a queue that is none', { routing: { a: 'b.c' } }, '/routing/a'],
  ['a queue that is none, of a task', { tasks: { a: { queue: 7 } } }, '/tasks/a/queue'],
  ['a priority that is none', { defaults: { priority: 'urgent' } }, '/defaults/priority'],
  ['an unknown field', { tasks: { a: { prioriy: 'low' } } }, '/tasks/a/prioriy', 'priority'],
  [
    'an unknown field deeper down',
    { defaults: { retry: { atempts: 1 } } },
    '/defaults/retry/atempts',
    'attempts',
  ],
  ['no object for a task', { tasks: { a: 'low' } }, '/tasks/a'],
  [
    'delays beside backoff',
    { defaults: { retry: { delay: ['1s'], backoff: 'fixed' } } },
    '/defaults/retry/backoff',
  ],
  ['a rate for all tasks', { defaults: { rateLimit: { limit: 1, period: '1s' } } }, '/defaults/rateLimit'],
  ['an isolation that is none', { tasks: { a: { isolation: 'fork' } } }, '/tasks/a/isolation'],
  [
    'too little memory for a child',
    { defaults: { isolation: { kind: 'process', maxMemory: '1MiB' } } },
    '/defaults/isolation/maxMemory',
  ],
  ['a queue said twice', { routing: { 'a.*': 'x' }, tasks: { 'a.*': { queue: 'y' } } }, '/tasks/a.*/queue'],
])('%s is refused', (_, input, pointer, suggestion) => {
  const read = () => readSettings(input as SettingsInput, 'jetbeat.yaml');
  expect(read).toThrow(InvalidInputError);
  expect(read).toThrow(/^jetbeat\.yaml: /);
  try {
    read();
  } catch (error) {
    const { issues } = error as InvalidInputError;
    expect(issues).toMatchObject([{ pointer, ...(suggestion === undefined ? {} : { suggestion }) }]);
  }
});

test('all that is wrong is named at once, by its place in the file', () => {
  const wrong = { routing: { 'a/b': 'c' }, tasks: { 'x.*': { retry: { attempts: 0 } } } };
  expect(() => readSettings(wrong)).toThrow(
    /^the settings: routing\.a\/b: .*; tasks\.x\.\*\.retry\.attempts: attempts is the total/,
  );
});

test('where a handler runs: configuration of the task, task, configured defaults, else inline', () => {
  const isolated = readSettings({
    routing: { 'media.*': 'media' },
    tasks: { 'media.*': { isolation: { kind: 'process', maxMemory: '400MiB' } } },
    defaults: { isolation: 'thread' },
  });
  const memory = { kind: 'process', maxMemory: 400 * 1024 ** 2 };
  expect(isolationOf(isolated.of('media.x'), { kind: 'inline' })).toEqual(memory);
  expect(isolationOf(isolated.of('other'), { kind: 'inline' })).toEqual({ kind: 'inline' });
  expect(isolationOf(isolated.of('other'), undefined)).toEqual({ kind: 'thread' });
  expect(isolationOf(NO_SETTINGS.of('other'), undefined)).toEqual({ kind: 'inline' });
});
