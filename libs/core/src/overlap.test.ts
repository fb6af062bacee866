import { expect, test } from 'vitest';
import { decideOverlap } from './overlap.ts';

type Params = Parameters<typeof decideOverlap>[0];
const due: Params = {
  ...{ rule: 'skip', openJobs: 1, recordedUpTo: 7, lastSeq: 9 },
  ...{ nominalTime: 100_000, window: 60_000, now: 100_010 },
};
const overlap = { decision: 'skip', reason: { code: 'overlap', text: expect.any(String) } };

test.each<[string, Partial<Params>, object]>([
  ['no job is open', { openJobs: 0 }, { decision: 'dispatch' }],
  ['overlap is allowed', { rule: 'allow', openJobs: 5 }, { decision: 'dispatch' }],
  ['history has not read all events', {}, { decision: 'wait', eventsSeq: 9, until: 160_000 }],
  ['history has read all events', { recordedUpTo: 9 }, overlap],
  ['what was noted first is waited for, not what came after', { waitedForSeq: 7 }, overlap],
  ['what was noted is not read yet', { waitedForSeq: 8 }, { decision: 'wait', eventsSeq: 8, until: 160_000 }],
  ['the end of the events is not known', { lastSeq: undefined }, { decision: 'wait', until: 160_000 }],
  ['the window is over', { now: 160_000 }, overlap],
  ['the window is over and nothing known', { now: 160_000, lastSeq: undefined }, overlap],
  [
    'a short window still gives history 5 s',
    { window: 0, now: 104_999 },
    { decision: 'wait', eventsSeq: 9, until: 105_000 },
  ],
])('%s', (_what, change, decision) => {
  expect(decideOverlap({ ...due, ...change })).toEqual(decision);
});

test('the job that was open is named', () => {
  const openJob = { id: '01890a5d-ac96-774b-bcce-b302099a8057', state: 'running' } as const;
  const skipped = (openJobs: number) => decideOverlap({ ...due, recordedUpTo: 9, openJobs, openJob });
  const text = `the job before it was still open: ${openJob.id} (running)`;
  expect(skipped(1)).toMatchObject({ reason: { text } });
  expect(skipped(3)).toMatchObject({ reason: { text: `${text} and 2 more` } });
});
