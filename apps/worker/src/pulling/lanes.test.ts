import { expect, test } from 'vitest';
import { createTurns, type Lane } from './lanes.ts';

const always = () => true;
const plain = ({ lane, priority }: Lane) => lane === priority;

/** Asks so often for one job. */
function ask(queues: readonly string[], times: number, mayHave: (lane: Lane) => boolean = plain): string[] {
  const turns = createTurns(queues);
  return Array.from({ length: times }, () => {
    const lane = turns.next(mayHave);
    if (!lane) return 'none';
    turns.took(lane, 1);
    return `${lane.queue} ${lane.lane}`;
  });
}

test('every lane is there', () => {
  expect(createTurns(['mail', 'media']).all).toHaveLength(12);
});

test('the queues of one priority take turns', () => {
  expect(ask(['a', 'b', 'c'], 5, ({ lane }) => lane === 'low')).toEqual([
    'a low',
    'b low',
    'c low',
    'a low',
    'b low',
  ]);
});

test('priorities have their shares over all queues, and queues theirs of each', () => {
  const asked = ask(['mail', 'media'], 200);
  const count = (lane: string) => asked.filter((each) => each === lane).length;
  expect(
    ['mail high', 'media high', 'mail normal', 'media normal', 'mail low', 'media low'].map(count),
  ).toEqual([60, 60, 30, 30, 10, 10]);
});

test('of a queue that has no room now and then each priority has its share, whatever another one takes meanwhile', () => {
  const turns = createTurns(['full', 'free']);
  const begun: string[] = [];
  for (let time = 0; time < 1_000; time++) {
    // One slot, which is in use most of the time; the other queue has nothing but what is urgent.
    const hasRoom = time % 5 === 0;
    const lane = turns.next(
      (each) => plain(each) && (each.queue === 'full' ? hasRoom : each.priority === 'high'),
      (queue) => queue === 'full',
    );
    if (!lane) continue;
    turns.took(lane, 1);
    begun.push(`${lane.queue} ${lane.lane}`);
  }
  const count = (name: string) => begun.filter((each) => each === name).length;
  const full = ['high', 'normal', 'low'].map((priority) => count(`full ${priority}`));
  const all = full.reduce((sum, each) => sum + each, 0);
  expect(all).toBeGreaterThan(90);
  expect(full.map((each) => Math.round((10 * each) / all))).toEqual([6, 3, 1]);
  expect(count('free high')).toBeGreaterThan(700);
});

test('a queue that is alone and has one slot forgets nobody while that is in use', () => {
  const turns = createTurns(['a']);
  const begun = Array.from({ length: 100 }, () => {
    expect(turns.next(() => false)).toBeUndefined();
    const lane = turns.next(plain, () => true);
    if (lane) turns.took(lane, 1);
    return lane?.priority;
  });
  const count = (priority: string) => begun.filter((each) => each === priority).length;
  expect(['high', 'normal', 'low'].map(count)).toEqual([60, 30, 10]);
});

test('a lane without anything is passed over; without any lane there is no turn', () => {
  expect(ask(['a', 'b'], 3, (lane) => plain(lane) && lane.queue === 'b')).toEqual([
    'b high',
    'b normal',
    'b high',
  ]);
  expect(ask(['a'], 1, () => false)).toEqual(['none']);
});

test('what a lane did not give is not counted', () => {
  const turns = createTurns(['a']);
  const [high] = turns.all;
  if (!high) throw new Error('no lane');
  turns.took(high, 100);
  turns.took(high, -100);
  expect(turns.next(always)).toBe(high);
});

test('what was parked goes before the rest of its queue and priority, and takes nothing away from other queues', () => {
  const low = ask(
    ['a', 'b'],
    4,
    ({ queue, lane }) => lane === 'low' || (queue === 'a' && lane === 'low-front'),
  );
  expect(low).toEqual(['a low-front', 'b low', 'a low-front', 'b low']);
  const all = ask(['a'], 100, ({ lane }) => lane === 'high' || lane === 'normal' || lane === 'low-front');
  const count = (lane: string) => all.filter((each) => each === lane).length;
  expect(['a high', 'a normal', 'a low-front'].map(count)).toEqual([60, 30, 10]);
});
