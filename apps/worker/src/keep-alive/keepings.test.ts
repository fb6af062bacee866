import { expect, test } from 'vitest';
import { Keepings, toBatches } from './keepings.ts';

const deliveries = (count: number, name = 'job') =>
  Array.from({ length: count }, (_, place) => ({
    id: `${name}-${place}`,
    ackSubject: `ack.${name}-${place}`,
  }));

test('what is not released is extended in its time, and known', () => {
  const keepings = new Keepings();
  const [first] = toBatches(deliveries(3, 'a'), 0);
  const [second] = toBatches(deliveries(2, 'b'), 1);
  if (!first || !second) throw new Error('no batch');
  keepings.add(first.batch, 0);
  keepings.add(second.batch, 50);
  expect(keepings.size).toBe(5);
  keepings.release([first.key + 1, first.key + 1, second.key + 1, second.key + 2, 1e9]);
  expect(keepings.size).toBe(3);
  expect([...keepings.due(100, 100)]).toEqual(['ack.a-0', 'ack.a-2']);
  expect([...keepings.due(150, 100)]).toEqual(['ack.b-0']);
  expect([...keepings.due(151, 100)]).toEqual([]);
  expect(keepings.among(['a-0', 'a-1', 'b-0', 'b-1', 'other'])).toEqual(['a-0', 'b-0']);
  keepings.release([first.key]);
  expect([...keepings.due(200, 100)]).toEqual(['ack.a-2']);
  keepings.release([first.key + 2, second.key]);
  expect([keepings.size, [...keepings.due(900, 100)]]).toEqual([0, []]);
});

test('however many come together, the key of each follows the one before', () => {
  const keepings = new Keepings();
  const batches = toBatches(deliveries(10_000), 7);
  for (const { batch } of batches) keepings.add(batch, 0);
  expect(keepings.size).toBe(10_000);
  const [first] = batches;
  if (!first) throw new Error('no batch');
  keepings.release(Array.from({ length: 9_999 }, (_, place) => first.key + place));
  expect([...keepings.due(1, 1)]).toEqual(['ack.job-9999']);
});
