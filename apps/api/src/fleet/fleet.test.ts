import { expect, onTestFinished, test, vi } from 'vitest';
import { fleetSeenBy } from '../access/sees-task.ts';
import { type Fleet, reasonNow, warningsFor, watchFleet } from './fleet.ts';

const fleet: Fleet = { tasks: new Map(), served: new Map([['report.send', new Set(['mail'])]]) };
const job = { task: 'report.send', queue: 'reports', state: 'queued' } as const;

test('a job that waits where nobody takes its task says so, and where the task is served', () => {
  const reason = reasonNow(fleet, job);
  expect(reason?.code).toBe('no_worker');
  expect(reason?.text).toContain('"report.send" on the queue "reports"; it is served on mail');
  const parked = { ...job, state: 'parked', reason: { code: 'no_worker', text: 'then' } } as const;
  expect(reasonNow(fleet, parked)).toEqual(reason);
});

test('what somebody takes, what has begun and what waits for another cause keep the reason that they have', () => {
  expect(reasonNow(fleet, { ...job, queue: 'mail' })).toBeUndefined();
  const doubt = { code: 'doubt', text: 'nobody could say' };
  expect(reasonNow(fleet, { ...job, state: 'parked', reason: doubt })).toBe(doubt);
  const dead = { code: 'attempts', text: 'used up' };
  expect(reasonNow(fleet, { ...job, state: 'dead', reason: dead })).toBe(dead);
});

test('a name of which nobody has heard is told with the task that was probably meant, of those on queues that are told', () => {
  const task = { name: 'report.print', queue: 'paper', seenAt: 0 };
  const known: Fleet = { ...fleet, tasks: new Map([[task.name, task]]), slips: new Map() };
  const slip = { ...job, task: 'report.snd' };
  for (const _ of ['first', 'again'])
    expect(warningsFor(known, slip)).toEqual([
      {
        code: 'no_worker',
        suggestion: 'report.send',
        message: expect.stringContaining('the job waits until one does; did you mean "report.send"?'),
      },
    ]);
  expect(reasonNow(known, slip)?.text).toContain('did you mean "report.send"?');
  // What no worker has now was known once; that is told to those who are told of every queue.
  const past = { ...job, task: 'report.prnt' };
  expect(warningsFor(known, past)[0]?.suggestion).toBe('report.print');
  expect(warningsFor(fleetSeenBy({ queues: ['mail'] }, known), slip)[0]?.suggestion).toBe('report.send');
  for (const one of [slip, past])
    expect(warningsFor(fleetSeenBy({ queues: ['sms'] }, known), one)[0]).not.toHaveProperty('suggestion');
  // Nothing is suggested in place of a task that there is.
  expect(warningsFor(known, { ...job, task: 'report.print' })[0]).not.toHaveProperty('suggestion');
  expect(warningsFor(known, { ...job, task: 'billing.charge' })[0]).not.toHaveProperty('suggestion');
});

test('whether a name is known on queues of others cannot be told by what is suggested in its place', () => {
  const past = { name: 'report.sends', queue: 'sms', seenAt: 0 };
  const known: Fleet = {
    tasks: new Map([[past.name, past]]),
    served: new Map([...fleet.served, ['report.sent', new Set(['sms'])]]),
  };
  const ofMail = fleetSeenBy({ queues: ['mail'] }, known);
  const told = (task: string) =>
    warningsFor(ofMail, { task, queue: 'mail' }).map(({ message, ...rest }) => ({
      ...rest,
      message: message.replace(task, '…'),
    }));
  const nowhere = told('report.senx');
  expect(nowhere).toMatchObject([{ suggestion: 'report.send' }]);
  expect(told('report.sent')).toEqual(nowhere);
  expect(told('report.sends')).toEqual(nowhere);
});

test('the fleet is looked at anew a second later, also where the time of day is set back by an hour', async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 4, 4), toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  let looks = 0;
  let ms = 0;
  const look = watchFleet({
    listTasks: async () => [],
    tasksServed: async () => new Map([[`look.${++looks}`, new Set(['mail'])]]),
    monotonic: () => ms,
  });
  const seen = async () => [...(await look()).served.keys()];
  expect(await seen()).toEqual(['look.1']);
  vi.setSystemTime(Date.UTC(2026, 4, 3, 23));
  ms = 999;
  expect(await seen()).toEqual(['look.1']);
  ms = 1_000;
  expect(await seen()).toEqual(['look.2']);
});
