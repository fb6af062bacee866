import { expect, test } from 'vitest';
import { bufferOf, decideOverlap, replacedReason } from './overlap.ts';

type Params = Parameters<typeof decideOverlap>[0];
const due: Params = {
  rule: 'skip',
  openJobs: 1,
  recordedUpTo: 7,
  lastSeq: 9,
  dueAt: 100_000,
  window: 60_000,
  now: 100_010,
};
const openJob = { id: '01890a5d-ac96-774b-bcce-b302099a8057', state: 'running' } as const;
const overlap = { decision: 'skip', reason: { code: 'overlap', text: expect.any(String) } };
const buffer = { decision: 'buffer', reason: { code: 'overlap', text: expect.any(String) }, cancel: false };
const one = { count: 1, first: 50_000 };

test.each<[string, Partial<Params>, object]>([
  ['no job is open', { openJobs: 0 }, { decision: 'dispatch' }],
  ['overlap is allowed', { rule: 'allow', openJobs: 5 }, { decision: 'dispatch' }],
  [
    'overlap is allowed, and some wait',
    { rule: 'allow', openJobs: 5, buffered: one },
    { decision: 'dispatch' },
  ],
  ['history has not read all events', {}, { decision: 'wait', eventsSeq: 9, until: 160_000 }],
  ['history has read all events', { recordedUpTo: 9 }, overlap],
  ['what was noted first is waited for, not what came after', { waitedForSeq: 7 }, overlap],
  ['what was noted is not read yet', { waitedForSeq: 8 }, { decision: 'wait', eventsSeq: 8, until: 160_000 }],
  ['the end of the events is not known', { lastSeq: undefined }, { decision: 'wait', until: 160_000 }],
  ['the window is over', { now: 160_000, waitUntil: 160_000 }, overlap],
  ['the window is over and nothing known', { now: 160_000, waitUntil: 160_000, lastSeq: undefined }, overlap],
  [
    'the window was over at the first look: history gets 5 s all the same',
    { now: 900_000 },
    { decision: 'wait', eventsSeq: 9, until: 905_000 },
  ],
  [
    'a short window still gives history 5 s',
    { window: 0 },
    { decision: 'wait', eventsSeq: 9, until: 105_010 },
  ],
  ['buffer-one: the first waits at once', { rule: 'buffer-one' }, buffer],
  ['buffer-one: none is open', { rule: 'buffer-one', openJobs: 0 }, { decision: 'dispatch' }],
  [
    'buffer-one: before the second is left out, history catches up',
    { rule: 'buffer-one', buffered: one },
    { decision: 'wait', eventsSeq: 9, until: 160_000 },
  ],
  ['buffer-one: the second is left out', { rule: 'buffer-one', buffered: one, recordedUpTo: 9 }, overlap],
  ['buffer-all: the second waits too', { rule: 'buffer-all', buffered: one }, buffer],
  [
    'buffer-all: whoever waits already comes first',
    { rule: 'buffer-all', openJobs: 0, buffered: one },
    { ...buffer, reason: { code: 'overlap', text: 'waits: 1 wait before it' } },
  ],
  [
    'buffer-one: while none is open, whoever waits already comes first',
    { rule: 'buffer-one', openJobs: 0, buffered: one, recordedUpTo: 9, now: 900_000, waitUntil: 160_000 },
    { decision: 'wait', until: 160_000 },
  ],
  [
    'buffer-all: a thousand wait at most',
    { rule: 'buffer-all', buffered: { count: 1_000, first: 1 }, recordedUpTo: 9 },
    { ...overlap, reason: { code: 'buffer_full', text: 'overlap: 1000 runs wait already, more may not' } },
  ],
  [
    'buffer-all: of a backfill all wait',
    { rule: 'buffer-all', buffered: { count: 9_999, first: 1 }, bounded: false },
    buffer,
  ],
  [
    'cancel-previous: it waits until the open one is cancelled',
    { rule: 'cancel-previous' },
    { ...buffer, cancel: true },
  ],
  [
    'cancel-previous: one that waits already gives way as well',
    { rule: 'cancel-previous', buffered: one },
    { ...buffer, cancel: true },
  ],
  [
    'one that waits goes on when none is open',
    { isBuffered: true, openJobs: 0, buffered: one },
    { decision: 'dispatch' },
  ],
  ['one that waits waits on, and cancels nothing', { rule: 'cancel-previous', isBuffered: true }, buffer],
])('%s', (_what, change, decision) => {
  expect(decideOverlap({ ...due, ...change })).toEqual(decision);
});

test('a person reads which job was open', () => {
  const textOf = (change: Partial<Params>) => {
    const decided = decideOverlap({ ...due, recordedUpTo: 9, openJob, ...change });
    return 'reason' in decided ? decided.reason.text : decided.decision;
  };
  expect(textOf({})).toBe(`overlap: job ${openJob.id} still running`);
  expect(textOf({ openJobs: 3 })).toBe(`overlap: job ${openJob.id} and 2 more are still open`);
  expect(textOf({ now: 160_000, waitUntil: 160_000, recordedUpTo: 0 })).toBe(
    `overlap: job ${openJob.id} still running as far as history knows, which did not catch up in time`,
  );
  expect(textOf({ rule: 'buffer-one', buffered: one })).toBe(
    'overlap: one waits already, that of 1970-01-01T00:00:50.000Z',
  );
  expect(textOf({ rule: 'cancel-previous' })).toBe(`job ${openJob.id} still running, and is being cancelled`);
  expect(replacedReason(0).text).toBe('overlap: replaced by the run of 1970-01-01T00:00:00.000Z');
});

test('what is triggered by hand waits with the schedule’s own runs, each backfill by itself', () => {
  expect(bufferOf('plan')).toBe('plan');
  expect(bufferOf('trigger:a')).toBe('plan');
  expect(bufferOf('backfill:a')).toBe('backfill:a');
  expect(bufferOf('backfill:b')).not.toBe(bufferOf('backfill:a'));
});
