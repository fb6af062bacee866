import type { LaneView } from '@jetbeat/jetstream';
import { expect, test } from 'vitest';
import { queueJson } from './queue-json.ts';
import { namesIn, type QueuePicture } from './queue-picture.ts';

const NOW = 1_700_000_000_000;
const NOTHING: QueuePicture = {
  lanes: new Map(),
  unserved: new Map(),
  counts: new Map(),
  capped: [],
  rates: new Map(),
  workers: new Map(),
  slots: new Map(),
};
const lane = (queue: string, pending: number, oldestMs = 0): LaneView => ({
  queue,
  priority: 'normal',
  pending,
  inFlight: 1,
  redelivered: 0,
  pulls: 0,
  oldestMs,
});
const later = (queue: string) => ({ queue, state: 'scheduled' as const, jobs: 1 });
const waits = (queue: string, jobs: number) => [{ queue, priority: 'normal' as const, jobs }];
const show = (name: string, picture: Partial<QueuePicture>) => {
  const {
    waiting,
    held,
    oldestMs,
    onlyHistory = false,
  } = queueJson(name, undefined, { ...NOTHING, ...picture }, NOW);
  return { waiting: waiting?.normal ?? null, held, oldestMs, onlyHistory };
};

test('jobs that wait where no consumer is are in what waits, once; an age is told where it was looked up', () => {
  const lanes = new Map([
    ['mail', [lane('mail', 3, 1_000)]],
    ['slip', [lane('slip', 2, 2_000)]],
  ]);
  const unserved = new Map([
    ['slip', waits('slip', 2)],
    ['more', waits('more', 7)],
  ]);
  const picture = { lanes, unserved };
  expect(show('mail', picture)).toEqual({ waiting: 3, held: 1, oldestMs: 1_000, onlyHistory: false });
  expect(show('slip', picture)).toEqual({ waiting: 2, held: 1, oldestMs: 2_000, onlyHistory: false });
  expect(show('more', picture)).toEqual({ waiting: 7, held: 0, oldestMs: null, onlyHistory: false });
  expect(show('gone', picture)).toEqual({ waiting: 0, held: 0, oldestMs: null, onlyHistory: true });
});

test('where nobody has counted them it is not said that none wait', () => {
  const unknown = { waiting: null, held: null, oldestMs: null, onlyHistory: false };
  const picture = { lanes: new Map([['mail', [lane('mail', 3)]]]), unserved: undefined };
  expect(show('mail', picture)).toMatchObject({ waiting: 3, held: 1 });
  expect(show('slip', picture)).toEqual(unknown);
  expect(show('slip', { lanes: undefined, unserved: undefined })).toEqual(unknown);
});

test('a queue that only jobs say is among the names, and of those that history has counted no more than 1,000', () => {
  const counts = new Map(
    Array.from({ length: 3_000 }, (_, each) => [`later-${each}`, [later(`later-${each}`)]]),
  );
  const unserved = new Map([['slip', waits('slip', 2)]]);
  const workers = new Map([['mail', ['w']]]);
  const names = namesIn({ ...NOTHING, unserved, workers, counts });
  expect(names.size).toBe(1_002);
  expect([...names].slice(0, 3)).toEqual(['slip', 'mail', 'later-0']);
});

test('what is shown of a queue is looked up by its name, and of no other queue is anything looked at', () => {
  const looked: string[] = [];
  const counts = new Map([
    ['mail', [later('mail'), { queue: 'mail', state: 'parked' as const, reason: 'key', jobs: 2 }]],
    ['other', [later('other')]],
  ]);
  const get = counts.get.bind(counts);
  counts.get = (name) => {
    looked.push(name);
    return get(name);
  };
  counts.values =
    counts.entries =
    counts[Symbol.iterator] =
      () => {
        throw new Error('all were looked at');
      };
  const shown = queueJson('mail', undefined, { ...NOTHING, counts, capped: ['parked'] }, NOW);
  expect(shown).toMatchObject({ scheduled: 1, parked: { key: 2 }, running: 0, capped: ['parked'] });
  expect(looked).toEqual(['mail']);
});
