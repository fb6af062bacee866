import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { defineSchedule } from './define-schedule.ts';
import { defineTask } from './define-task.ts';

const task = defineTask({ name: 'report.send', input: Type.Object({ to: Type.String() }), run: () => null });

test('a schedule is what the API takes', () => {
  const nightly = defineSchedule('report/nightly', task, {
    when: { cron: '0 3 * * *' },
    timeZone: 'Europe/Paris',
    input: { to: 'a@example.org' },
    job: { queue: 'mail', retry: { attempts: 3 } },
    overlap: 'buffer-one',
    labels: { team: 'media' },
  });
  expect(nightly).toEqual({
    name: 'report/nightly',
    when: { cron: '0 3 * * *' },
    timeZone: 'Europe/Paris',
    job: { task: 'report.send', input: { to: 'a@example.org' }, queue: 'mail', retry: { attempts: 3 } },
    overlap: 'buffer-one',
    labels: { team: 'media' },
  });
});

test('a slip is named', () => {
  const when = { every: '1m' } as const;
  expect(() => defineSchedule('a b', task, { when, input: { to: 'a' } })).toThrow('is not a schedule name');
  const slip = { when, input: { to: 'a' }, overlapp: 'skip' };
  expect(() => defineSchedule('a', task, slip)).toThrow('did you mean "overlap"?');
  // @ts-expect-error the input is that of the task
  defineSchedule('a', task, { when, input: { too: 'a' } });
});
