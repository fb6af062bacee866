import { expect, test } from 'vitest';
import { readiness } from './readiness.ts';

const parts = {
  bus: { connected: true },
  events: { full: false, queued: 0 },
  jobs: { size: 1 },
  fetch: { lastProgress: 0 },
  measures: { abandoned: 0 },
  lingering: { count: 0 },
  runs: { trouble: undefined },
  shape: { concurrency: 2, draining: false },
  now: () => 0,
};

test('as many abandoned handlers as there are slots make a worker not ready', () => {
  const handlers = (abandoned: number) =>
    readiness({ ...parts, measures: { abandoned } }).find(({ name }) => name === 'handlers');
  expect(handlers(0)).toMatchObject({ ok: true });
  expect(handlers(1)).toMatchObject({ ok: true });
  expect(handlers(2)).toMatchObject({ ok: false, detail: '2 run on past their hard limit' });
});

test('one abandoned handler that keeps a slot of a limit makes a worker not ready', () => {
  const found = readiness({ ...parts, measures: { abandoned: 1 }, lingering: { count: 1 } });
  expect(found.find(({ name }) => name === 'handlers')).toMatchObject({
    ok: false,
    detail: '1 run on past their hard limit, 1 of them in a slot of a limit',
  });
});

test('a run that waits for a child that cannot be started makes a worker not ready, and says why', () => {
  const children = (trouble?: string) =>
    readiness({ ...parts, runs: { trouble } }).find(({ name }) => name === 'children');
  expect(children()).toEqual({ name: 'children', ok: true });
  const why = 'its process did not start: spawn ENOMEM';
  expect(children(why)).toMatchObject({ ok: false, detail: `none can be started: ${why}` });
});
