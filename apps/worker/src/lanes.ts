import { PRIORITIES, type Priority } from '@jetbeat/core';

/** One queue's lane of one priority. */
export interface Lane {
  readonly queue: string;
  readonly priority: Priority;
}

/** Of ten turns, how many begin with each priority, so that nothing starves under a standing backlog. */
const WEIGHTS: Readonly<Record<Priority, number>> = { high: 6, normal: 3, low: 1 };

/**
 * Says in which order lanes are asked for work. Whoever asks goes through the whole list, so a weight only decides who
 * is asked first; queues take turns.
 */
export function createTurns(queues: readonly string[]): {
  next(): readonly Lane[];
  readonly all: readonly Lane[];
} {
  const cycle = spread();
  const orders = PRIORITIES.map((first) => ({
    first,
    lanes: [first, ...PRIORITIES.filter((priority) => priority !== first)],
  }));
  let turn = 0;
  const lanesOf = (priorities: readonly Priority[], offset: number): Lane[] =>
    priorities.flatMap((priority) =>
      queues.map((_, index) => ({ queue: queues[(index + offset) % queues.length] ?? '', priority })),
    );
  return {
    all: lanesOf(PRIORITIES, 0),
    next() {
      const first = cycle[turn % cycle.length];
      const order = orders.find((candidate) => candidate.first === first)?.lanes ?? PRIORITIES;
      const offset = Math.floor(turn / cycle.length);
      turn = (turn + 1) % (cycle.length * Math.max(1, queues.length));
      return lanesOf(order, offset);
    },
  };
}

/** The weights as a cycle of ten with the rarer ones spread out: smooth weighted round robin. */
function spread(): Priority[] {
  const total = Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0);
  const credit: Record<Priority, number> = { high: 0, normal: 0, low: 0 };
  return Array.from({ length: total }, () => {
    for (const priority of PRIORITIES) credit[priority] += WEIGHTS[priority];
    const first = PRIORITIES.reduce((best, priority) => (credit[priority] > credit[best] ? priority : best));
    credit[first] -= total;
    return first;
  });
}
