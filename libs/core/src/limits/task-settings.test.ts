import { expect, test } from 'vitest';
import { decodeTaskSettings, encodeTaskSettings, type TaskSettings } from './task-settings.ts';

const SETTINGS: TaskSettings = {
  version: 3,
  rate: { limit: 5, periodMs: 60_000, per: 'key', burst: 2 },
  concurrency: { key: 'host-{input.host}', limit: 4 },
};

test('equal settings are equal texts, and are read again', () => {
  const { version, rate, concurrency } = SETTINGS;
  const text = encodeTaskSettings(SETTINGS);
  expect(encodeTaskSettings({ concurrency, rate, version } as TaskSettings)).toBe(text);
  expect(decodeTaskSettings(text)).toEqual(SETTINGS);
  expect(encodeTaskSettings({ version: 1 })).toBe('{"version":1}');
  expect(decodeTaskSettings('{"version":1,"later":7}')).toEqual({ version: 1, later: 7 });
  const plain = { version: 1, rate: { limit: 5, periodMs: 1_000, per: 'task' } };
  expect(decodeTaskSettings(JSON.stringify(plain))).toEqual(plain);
});

test.each([
  ['no JSON', '{'],
  ['no object', '[]'],
  ['null', 'null'],
  ['no version', '{}'],
  ['a rate that is none', '{"version":1,"rate":7}'],
  ['a rate without a period', '{"version":1,"rate":{"limit":1,"per":"task"}}'],
  ['a rate of a strange scope', '{"version":1,"rate":{"limit":1,"periodMs":1,"per":"queue"}}'],
  ['no burst', '{"version":1,"rate":{"limit":1,"periodMs":1,"per":"task","burst":0}}'],
  ['a key without a limit', '{"version":1,"concurrency":{"key":"a"}}'],
])('%s is not read', (_, text) => {
  expect(decodeTaskSettings(text)).toBeUndefined();
});
