import { expect, test } from 'vitest';
import type { Rule } from '../when/rule.ts';
import { MAX_RULES } from '../when/validate-when.ts';
import type { ScheduleSpec } from './schedule.ts';
import { validateSchedule } from './validate-schedule.ts';

const NOW = Date.parse('2026-05-01T00:00:00Z');
const TEN_YEARS = 3_650 * 86_400_000;
const spec: ScheduleSpec = {
  name: 'report/nightly',
  when: { cron: '0 3 * * *' },
  timeZone: 'Europe/Paris',
  job: { task: 'report.send', input: {} },
  overlap: 'skip',
  catchUp: 'latest',
};
const check = (change: Partial<ScheduleSpec>) =>
  validateSchedule({ ...spec, ...change }, NOW).map(({ pointer, code }) => `${pointer} ${code}`);

test.each<[string, Partial<ScheduleSpec>]>([
  ['a cron rule', {}],
  ['seconds', { when: { cron: '*/5 0 3 * * *' } }],
  ['every', { when: { every: 1_000 } }],
  ['every from', { when: { every: TEN_YEARS, from: NOW + 5 } }],
  ['at', { when: { at: NOW + 5 } }],
  ['several, one of them over', { when: [{ at: NOW - 5 }, { cron: '0 0 29 2 *' }] }],
  [
    'everything said',
    {
      job: {
        ...spec.job,
        queue: 'mail',
        priority: 'low',
        expires: TEN_YEARS,
        retry: { attempts: 1_000, delay: [0, TEN_YEARS], factor: 1.5, max: TEN_YEARS },
        timeout: { soft: 1, hard: TEN_YEARS },
      },
      overlap: 'allow',
      catchUp: { all: 1_000 },
      catchUpWindow: 0,
    },
  ],
])('%s is accepted', (_what, change) => {
  expect(check(change)).toEqual([]);
});

test.each<[Partial<ScheduleSpec>, string]>([
  [{ name: 'a b' }, '/name invalid_schedule_name'],
  [{ timeZone: 'Mars/Olympus_Mons_Observatory' }, '/timeZone unknown_time_zone'],
  [{ when: { cron: '61 * * * *' } }, '/when/cron invalid_cron'],
  [{ when: { cron: 'x'.repeat(100_000) } }, '/when/cron invalid_cron'],
  [{ when: { cron: '0 0 31 2 *' } }, '/when/cron never_fires'],
  [{ when: [{ every: 5_000 }, { cron: '0 0 30 2 *' }] }, '/when/1/cron never_fires'],
  [{ when: { every: 999 } }, '/when/every invalid_duration'],
  [{ when: { every: TEN_YEARS + 1 } }, '/when/every invalid_duration'],
  [{ when: { every: 5_000, from: -1 } }, '/when/from invalid_time'],
  [{ when: { at: Number.NaN } }, '/when/at invalid_time'],
  [{ when: { at: NOW + 2 * TEN_YEARS } }, '/when/at invalid_time'],
  [{ when: { at: NOW } }, '/when never_fires'],
  [{ when: [] }, '/when invalid_when'],
  [{ when: Array.from({ length: MAX_RULES + 1 }, (): Rule => ({ every: 1_000 })) }, '/when invalid_when'],
  [{ job: { ...spec.job, task: 'a b' } }, '/job/task invalid_task_name'],
  [{ job: { ...spec.job, task: 'x'.repeat(500) } }, '/job/task invalid_task_name'],
  [{ job: { ...spec.job, queue: 'a.b' } }, '/job/queue invalid_queue_name'],
  [{ job: { ...spec.job, priority: 'urgent' as 'high' } }, '/job/priority invalid_value'],
  [{ overlap: 'queue' as 'skip' }, '/overlap invalid_value'],
  [{ catchUp: { all: 0 } }, '/catchUp/all invalid_value'],
  [{ catchUp: { all: 1_001 } }, '/catchUp/all invalid_value'],
  [{ catchUpWindow: -1 }, '/catchUpWindow invalid_duration'],
  [{ catchUp: { all: 2, spread: -1 } }, '/catchUp/spread invalid_duration'],
  [{ pauseAfterFailures: 0 }, '/pauseAfterFailures invalid_value'],
  [{ job: { ...spec.job, retry: { attempts: 1e12 } } }, '/job/retry/attempts invalid_value'],
  [{ job: { ...spec.job, retry: { factor: 0.5 } } }, '/job/retry/factor invalid_value'],
  [{ job: { ...spec.job, retry: { delay: 9e15 } } }, '/job/retry/delay invalid_duration'],
  [{ job: { ...spec.job, retry: { delay: [1, -1] } } }, '/job/retry/delay invalid_duration'],
  [{ job: { ...spec.job, retry: { delay: Array(101).fill(1) } } }, '/job/retry/delay invalid_duration'],
  [{ job: { ...spec.job, retry: { max: 9e15 } } }, '/job/retry/max invalid_duration'],
  [{ job: { ...spec.job, timeout: { soft: -1 } } }, '/job/timeout/soft invalid_duration'],
  [{ job: { ...spec.job, timeout: { hard: 9e15 } } }, '/job/timeout/hard invalid_duration'],
  [{ job: { ...spec.job, expires: TEN_YEARS + 1 } }, '/job/expires invalid_duration'],
])('%j is refused', (change, issue) => {
  expect(check(change)).toEqual([issue]);
});

test('the messages say what to do', () => {
  const [zone] = validateSchedule({ ...spec, timeZone: 'Europe/Pariss' }, NOW);
  expect(zone).toMatchObject({
    suggestion: 'Europe/Paris',
    message: '"Europe/Pariss" is not a known time zone, did you mean "Europe/Paris"?',
  });
  const [never] = validateSchedule({ ...spec, when: { cron: '0 0 31 2 *' } }, NOW);
  expect(never?.message).toBe('"0 0 31 2 *" never fires: no calendar has such a day');
  const [long] = validateSchedule({ ...spec, job: { ...spec.job, task: 'x'.repeat(500) } }, NOW);
  expect(long?.message.length).toBeLessThan(200);
});
