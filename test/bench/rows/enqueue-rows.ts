import { enqueueRow } from './enqueue.ts';

/** One call after the other. */
export const enqueueOne = enqueueRow({
  name: 'enqueue-one',
  what: '`enqueue`, one call after the other',
  count: 20_000,
  command: (count) => ({ kind: 'enqueue', count, inFlight: 1 }),
});

/** 500 calls open. */
export const enqueue500 = enqueueRow({
  name: 'enqueue-500',
  what: '`enqueue`, 500 calls in flight',
  count: 100_000,
  command: (count) => ({ kind: 'enqueue', count, inFlight: 500 }),
});

/** 5,000 calls open. */
export const enqueue5000 = enqueueRow({
  name: 'enqueue-5000',
  what: '`enqueue`, 5,000 calls in flight',
  count: 100_000,
  goal: 25_000,
  command: (count) => ({ kind: 'enqueue', count, inFlight: 5_000 }),
});

/** One call with all of them. */
export const enqueueMany = enqueueRow({
  name: 'enqueue-many',
  what: '`enqueueMany`, one call',
  count: 300_000,
  goal: 60_000,
  command: (count) => ({ kind: 'many', count }),
});
