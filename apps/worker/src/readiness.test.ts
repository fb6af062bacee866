import { expect, test } from 'vitest';
import { readiness } from './readiness.ts';

const parts = {
  bus: { connected: true },
  events: { full: false, queued: 0 },
  jobs: { size: 1 },
  fetch: { lastProgress: 0 },
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
