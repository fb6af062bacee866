import { expect, test } from 'vitest';
import { createTurns } from './lanes.ts';

test('of ten turns six begin with high, three with normal, one with low, and each asks every lane', () => {
  const turns = createTurns(['default']);
  const orders = Array.from({ length: 10 }, () => turns.next());
  const first = orders.map(([lane]) => lane?.priority);
  expect(first.filter((priority) => priority === 'high')).toHaveLength(6);
  expect(first.filter((priority) => priority === 'normal')).toHaveLength(3);
  expect(first.filter((priority) => priority === 'low')).toHaveLength(1);
  for (const order of orders) expect(new Set(order.map(({ priority }) => priority)).size).toBe(3);
});

test('queues take turns in being asked first', () => {
  const turns = createTurns(['mail', 'media']);
  const first = Array.from({ length: 40 }, () => turns.next()[0]?.queue);
  expect(first.filter((queue) => queue === 'mail')).toHaveLength(20);
});
