import { expect, test } from 'vitest';
import { createPassedOver } from './passed-over.ts';

test('sequences of a stream that may have lost its tail are forgotten, also by who is on the way', () => {
  const listeners: ((info: { serverChanged: boolean }) => void)[] = [];
  const passed = createPassedOver({
    onReconnect(fn) {
      listeners.push(fn);
      return () => {};
    },
  });
  const reconnect = (serverChanged: boolean) => listeners.map((fn) => fn({ serverChanged }));
  const until = (from: number) => ({ from, queues: new Set(['mail']) });
  passed.of('key').note(until(7));
  passed.of('other').note(undefined);
  expect([passed.of('key').known, passed.of('other').known]).toEqual([until(7), undefined]);
  reconnect(false);
  expect(passed.of('key').known).toEqual(until(7));
  const underway = passed.of('key');
  reconnect(true);
  underway.note(until(9));
  expect(passed.of('key').known).toBeUndefined();
  passed.of('key').note(until(8));
  passed.forget();
  expect(passed.of('key').known).toBeUndefined();
});
