import { expect, test } from 'vitest';
import { oldestFirst, takeTurns } from './take-turns.ts';

const row = (origin: string, nominalTime: number, change: { waits?: true; isBuffered?: true } = {}) => ({
  origin,
  nominalTime,
  isBuffered: change.isBuffered ?? false,
  waitUntil: change.waits ? 1 : null,
});
const times = (rows: readonly { nominalTime: number }[]) => rows.map(({ nominalTime }) => nominalTime);
/** A tenth of the budget each. */
const inTurn = (rows: readonly ReturnType<typeof row>[]) =>
  times(takeTurns(rows, { weigh: () => 100, budget: 1_000 }));
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

test('live rows come before a backfill that is older, which is sure of a fifth of the bytes', () => {
  const filled = range(0, 20).map((time) => row('backfill:1', time));
  const live = range(100, 120).map((time) => row(time % 2 ? 'plan' : 'trigger:1', time));
  expect(inTurn([...live, ...filled])).toEqual([
    ...range(100, 108),
    ...range(0, 2),
    ...range(108, 120),
    ...range(2, 20),
  ]);
  expect(inTurn(filled)).toEqual(range(0, 20));
  expect(inTurn(live)).toEqual(range(100, 120));
});

test('what waits for history comes last, what has waited for a job does not', () => {
  const rows = [
    row('backfill:1', 5, { isBuffered: true, waits: true }),
    row('plan', 6, { isBuffered: true }),
    row('plan', 1, { waits: true }),
    row('plan', 7),
    row('backfill:1', 2, { waits: true }),
  ];
  expect(inTurn(rows)).toEqual([6, 7, 5, 1, 2]);
  expect(times(rows.toSorted(oldestFirst))).toEqual([5, 6, 1, 2, 7]);
});

test('one that is larger than all there is room for does not keep out the other lanes', () => {
  const rows = [row('plan', 3), row('plan', 4), row('backfill:1', 1), row('backfill:1', 2)];
  expect(times(takeTurns(rows, { weigh: () => 5_000, budget: 1_000 }))).toEqual([3, 1, 4, 2]);
});
