import { describe, expect, test } from 'vitest';
import {
  decideGate,
  describeFullQueue,
  describeStorage,
  readStorageFigures,
  type StorageFigures,
  storageLevel,
} from './storage.ts';

const MIB = 1024 ** 2;
const figures = (store: number, events: number): StorageFigures => ({
  store: { used: store * MIB, limit: 100 * MIB },
  events: { used: events * MIB, limit: 100 * MIB },
});

test('the fuller place counts, and what has no known bound does not', () => {
  expect(storageLevel(figures(30, 10))).toEqual({ place: 'store', share: 0.3 });
  expect(storageLevel(figures(30, 40))).toEqual({ place: 'events', share: 0.4 });
  expect(storageLevel({ store: { used: 7 * MIB }, events: { used: 0, limit: MIB } }).share).toBe(0);
});

test('it closes at 80 % and opens only below 70 %', () => {
  const gates = [79, 80, 75, 70, 69.9, 75, 79.9, 81].map((share) => share);
  let gate: 'open' | 'refuse' = 'open';
  const went = gates.map((share) => {
    gate = decideGate(gate, figures(share, 0));
    return gate;
  });
  expect(went).toEqual(['open', 'refuse', 'refuse', 'refuse', 'open', 'open', 'open', 'refuse']);
  expect(decideGate('open', figures(0, 80))).toBe('refuse');
});

test('the sentence says what is full, how full, and what to do', () => {
  expect(describeStorage(figures(83.9, 10))).toBe(
    'the storage of JetStream is 83 % full (84 of 100 MiB), and what is left is kept for jobs that are already there: repeat it when workers have done more, run more workers, or raise max_file_store of NATS and storage.limit of Jetbeat',
  );
  expect(describeStorage({ store: { used: MIB }, events: { used: 1.75 * MIB, limit: 2 * MIB } })).toBe(
    'EVENTS is 87 % full (1.8 of 2.0 MiB) of what is not in PostgreSQL yet, and what is left is kept for jobs that are already there: see that PostgreSQL and a recorder run, and repeat it later',
  );
  expect(describeStorage({ store: { used: 0 }, events: { used: 0 } })).toContain('0 % full');
});

describe('figures from the wire', () => {
  test('good ones are read, without what else is there', () => {
    const good = { store: { used: 1 }, events: { used: 2, limit: 3 } };
    expect(readStorageFigures({ ...good, more: 1 })).toEqual(good);
    const mail = { queue: 'mail', depth: 7, maxDepth: 5 };
    const full = [mail, null, { queue: 7 }, { ...mail, depth: '7' }];
    expect(readStorageFigures({ ...good, full })).toEqual({ ...good, full: [mail] });
    expect(describeFullQueue(mail)).toMatch(
      /^the queue mail is full: 7 jobs wait in it, and its maxDepth is 5; /,
    );
  });

  test.each([
    undefined,
    null,
    'full',
    {},
    { store: { used: 1 } },
    { store: { used: -1 }, events: { used: 1 } },
    { store: { used: 1, limit: 0 }, events: { used: 1 } },
    { store: { used: 1, limit: '9' }, events: { used: 1 } },
    { store: { used: Number.NaN }, events: { used: 1 } },
  ])('%o is none', (value) => {
    expect(readStorageFigures(value)).toBeUndefined();
  });
});
