import { expect, test } from 'vitest';
import { decideReconcile, type Findings, needsLook, type OpenJob, type StreamFacts } from './reconcile.ts';

const nothing: Findings = { message: false, timer: false, parked: false };
const streams: StreamFacts = {
  consumer: { delivered: 50, ackFloor: 40, idle: false },
  jobsSeq: 100,
  eventsSeq: 30,
  recordedUpTo: 25,
};
const job: OpenJob = { published: true };

test('a message above what was handed out waits its turn without a look', () => {
  expect(needsLook({ ...job, seq: 51 }, streams)).toBe(false);
  expect(needsLook({ ...job, seq: 50 }, streams)).toBe(true);
  expect(needsLook(job, streams)).toBe(true);
});

test.each(['message', 'timer', 'parked'] as const)('what has a %s is on its way', (what) => {
  expect(decideReconcile(job, streams, { ...nothing, [what]: true })).toBe('wait');
  expect(decideReconcile({ published: false }, streams, { ...nothing, [what]: true })).toBe('wait');
});

test.each<[string, OpenJob, Partial<StreamFacts>, string]>([
  ['never published', { published: false }, {}, 'republish'],
  ['gone, for the first time', job, {}, 'note'],
  ['its lane has not passed the mark', { ...job, note: { jobsSeq: 45, eventsSeq: 20 } }, {}, 'wait'],
  ['history has not passed the mark', { ...job, note: { jobsSeq: 40, eventsSeq: 26 } }, {}, 'wait'],
  ['both have passed it', { ...job, note: { jobsSeq: 40, eventsSeq: 25 } }, {}, 'republish'],
  [
    'its lane is empty',
    { ...job, note: { jobsSeq: 90, eventsSeq: 25 } },
    { consumer: { delivered: 50, ackFloor: 40, idle: true } },
    'republish',
  ],
  ['the mark is of another JOBS', { ...job, note: { jobsSeq: 101, eventsSeq: 25 } }, {}, 'note'],
  ['the mark is of another EVENTS', { ...job, note: { jobsSeq: 40, eventsSeq: 31 } }, {}, 'note'],
])('%s', (_what, open, change, decision) => {
  expect(decideReconcile(open, { ...streams, ...change }, nothing)).toBe(decision);
});
