import { expect, test } from 'vitest';
import { createPassedOver } from './passed-over.ts';

/** With a server that can be told to be another one. */
function bench() {
  const listeners: ((info: { serverChanged: boolean }) => void)[] = [];
  const passed = createPassedOver({
    onReconnect(fn) {
      listeners.push(fn);
      return () => {};
    },
  });
  const reconnect = (serverChanged: boolean) => listeners.map((fn) => fn({ serverChanged }));
  return { passed, reconnect };
}

test('what was passed over is known until one of the paused queues goes on', () => {
  const { passed } = bench();
  passed.see(new Set(['a', 'b']));
  passed.of('key').note(7);
  passed.of('other').note(1);
  expect([passed.of('key').from, passed.of('other').from]).toEqual([7, undefined]);
  passed.see(new Set(['b', 'a']));
  expect(passed.of('key').from).toBe(7);
  // What is paused beside them makes nothing wrong.
  passed.see(new Set(['a', 'b', 'c']));
  expect(passed.of('key').from).toBe(7);
  passed.see(new Set(['a', 'c']));
  expect(passed.of('key').from).toBeUndefined();
});

test('sequences of a stream that may have lost its tail are forgotten, also by who is on the way', () => {
  const { passed, reconnect } = bench();
  passed.of('key').note(7);
  reconnect(false);
  expect(passed.of('key').from).toBe(7);
  const underway = passed.of('key');
  reconnect(true);
  underway.note(9);
  expect(passed.of('key').from).toBeUndefined();
  passed.of('key').note(8);
  passed.forget();
  expect(passed.of('key').from).toBeUndefined();
});
