import fc from 'fast-check';
import { expect, test } from 'vitest';
import { uuidV7 } from '../ids.ts';
import { FIRST_POSITION, type JobEnvelope, type Position } from './envelope.ts';
import { factsOf, type JobEvent, publishedEvent } from './event.ts';
import { canReach, isTerminal } from './job-state.ts';
import { mergeJob, project } from './project.ts';

const TRACE = 'a'.repeat(32);
const TRACEPARENT = `00-${TRACE}-${'b'.repeat(16)}-01`;
const job: JobEnvelope = {
  v: 1,
  id: uuidV7(1_000, new Uint8Array(10)),
  task: 'a.b',
  queue: 'default',
  priority: 'normal',
  input: { a: 1 },
  createdAt: 1_000,
  runAt: 1_000,
  ...FIRST_POSITION,
};
const error = { name: 'Error', message: 'no' };

type Step =
  | 'fail'
  | 'snooze'
  | 'park'
  | 'giveBack'
  | 'turnBack'
  | 'lose'
  | 'crash'
  | 'succeed'
  | 'die'
  | 'cancel';

/** The events that a job leaves on such a way, in the order in which they happen. */
function history(steps: readonly Step[], accepted: boolean): JobEvent[] {
  const events: JobEvent[] = accepted
    ? [{ kind: 'accepted', envelope: job, traceparent: TRACEPARENT, seq: 5 }]
    : [];
  let position: Position = FIRST_POSITION;
  for (const [index, step] of steps.entries()) {
    if (step === 'park') position = { ...position, parks: position.parks + 1 };
    const losses = steps.slice(0, index + 1).filter((one) => one === 'crash').length;
    events.push(...eventsOf(step, position, 1_010 + index * 10, losses));
    if (step === 'park') continue;
    position = { ...position, attempt: position.attempt + (step === 'fail' ? 1 : 0), run: position.run + 1 };
  }
  return events;
}

function eventsOf(step: Step, position: Position, at: number, losses: number): JobEvent[] {
  const facts = factsOf({ ...job, ...position }, TRACE, at);
  const run = { ...facts, runId: uuidV7(at, new Uint8Array(10)), worker: `w${at}` };
  const started: JobEvent = { kind: 'started', ...run, at };
  const settled = { kind: 'settled', ...run, startedAt: at, finishedAt: at + 5 } as const;
  const { attempt } = position;
  switch (step) {
    case 'park':
      return [
        { kind: 'parked', ...facts, what: 'doubt', at },
        { kind: 'released', ...facts, at },
      ];
    case 'cancel':
      return [
        { kind: 'ended', ...facts, at, state: 'cancelled', reason: { code: 'cancelled', text: 'asked' } },
      ];
    case 'lose':
      return [started];
    case 'giveBack':
      return [started, { kind: 'returned', ...run, startedAt: at, at }];
    case 'turnBack':
      return [{ kind: 'returned', ...facts, worker: `w${at}`, at }];
    case 'fail':
      return [
        started,
        {
          ...settled,
          outcome: 'failed',
          error,
          next: { state: 'retrying', attempt: attempt + 1, runAt: at + 9 },
        },
      ];
    case 'snooze':
      return [
        started,
        { ...settled, outcome: 'snoozed', next: { state: 'retrying', attempt, runAt: at + 9 } },
      ];
    case 'crash':
      return [
        started,
        { ...settled, outcome: 'lost', error, next: { state: 'retrying', attempt, runAt: at + 9, losses } },
      ];
    case 'succeed':
      return [
        started,
        { ...settled, outcome: 'succeeded', result: { ok: true }, next: { state: 'succeeded' } },
      ];
    case 'die':
      return [
        started,
        {
          ...settled,
          outcome: 'rejected',
          error,
          next: { state: 'dead', reason: { code: 'rejected', text: 'no' } },
        },
      ];
  }
}

const middle = fc.constantFrom<Step>('fail', 'snooze', 'park', 'giveBack', 'turnBack', 'lose', 'crash');
const histories = fc
  .tuple(
    fc.array(middle, { maxLength: 8 }),
    fc.constantFrom<Step[]>([], ['succeed'], ['die'], ['cancel']),
    fc.boolean(),
  )
  .map(([steps, end, accepted]) => history([...steps, ...end], accepted))
  .filter((events) => events.length > 0);

function sorted(events: readonly JobEvent[]) {
  const { jobs, attempts } = project(events);
  return { jobs, attempts: attempts.toSorted((a, b) => (a.runId < b.runId ? -1 : 1)) };
}

test('events may come in any order, and any of them twice: history ends the same', () => {
  const shuffled = histories.chain((events) =>
    fc.record({
      events: fc.constant(events),
      order: fc.shuffledSubarray([...events, ...events], { minLength: events.length }),
    }),
  );
  fc.assert(
    fc.property(shuffled, ({ events, order }) => {
      fc.pre(events.every((event) => order.includes(event)));
      expect(sorted(order)).toEqual(sorted(events));
    }),
    { numRuns: 500 },
  );
});

test('it makes no difference how the events are cut into batches', () => {
  fc.assert(
    fc.property(histories, fc.nat(30), (events, cut) => {
      const [first] = project(events.slice(0, cut)).jobs;
      const [second] = project(events.slice(cut)).jobs;
      const whole = project(events).jobs[0];
      if (first && second) expect(mergeJob(first, second)).toEqual(whole);
      else expect(first ?? second).toEqual(whole);
    }),
  );
});

test('each event is later than the one before, and the table allows what it says', () => {
  fc.assert(
    fc.property(histories, (events) => {
      const changes = events.map((event) => project([event]).jobs[0]);
      for (const [index, change] of changes.entries()) {
        const before = changes[index - 1];
        if (!before || !change) continue;
        expect(change.order).toBeGreaterThan(before.order);
        // A snoozed or lost run is followed by a new one without a word in between.
        const possible = canReach(before.state, change.state) || before.state === change.state;
        expect(possible, `${before.state} -> ${change.state}`).toBe(true);
      }
    }),
  );
});

test('of a job that succeeded at its second attempt, history keeps this', () => {
  const events = history(['fail', 'succeed'], true);
  const { jobs, attempts } = project(events);
  expect(jobs).toHaveLength(1);
  expect(jobs[0]).toMatchObject({
    id: job.id,
    state: 'succeeded',
    attempt: 2,
    run: 2,
    result: { ok: true },
    startedAt: 1_010,
    finishedAt: 1_025,
    traceId: TRACE,
    traceparent: TRACEPARENT,
    envelope: job,
    worker: 'w1020',
    next: { state: 'succeeded' },
  });
  expect(jobs[0]).not.toHaveProperty('error');
  expect(attempts).toMatchObject([
    { number: 1, run: 1, worker: 'w1010', outcome: 'failed', error },
    { number: 2, run: 2, worker: 'w1020', outcome: 'succeeded' },
  ]);
  expect(attempts[1]).not.toHaveProperty('error');
});

test('a delayed job is scheduled, and its timer is not its message', () => {
  const envelope = { ...job, runAt: 9_000 };
  const [change] = project([{ kind: 'accepted', envelope, traceparent: 'none', seq: 5 }]).jobs;
  expect(change).toMatchObject({ state: 'scheduled', dueAt: 9_000 });
  expect(change).not.toHaveProperty('seq');
  expect(change).not.toHaveProperty('traceId');
  const [now] = project([{ kind: 'accepted', envelope: job, traceparent: TRACEPARENT, seq: 5 }]).jobs;
  expect(now).toMatchObject({ state: 'queued', seq: 5, traceId: TRACE });
  const [own] = project([{ kind: 'accepted', envelope: job, seq: 5 }]).jobs;
  expect(own).not.toHaveProperty('traceparent');
});

test('a job that was published begins as one that a client tells of, without its envelope', () => {
  for (const envelope of [job, { ...job, runAt: 9_000 }]) {
    const [told] = project([publishedEvent(envelope, TRACE)]).jobs;
    const [accepted] = project([{ kind: 'accepted', envelope, traceparent: TRACEPARENT, seq: 5 }]).jobs;
    const { envelope: _, traceparent: __, seq: ___, ...rest } = accepted ?? {};
    expect(told).toEqual(rest);
  }
});

test('a job that was given back is queued as a later run, and its attempt is closed', () => {
  const { jobs, attempts } = project(history(['giveBack'], false));
  expect(jobs[0]).toMatchObject({ state: 'queued', attempt: 1, run: 2 });
  expect(attempts).toMatchObject([{ run: 1, outcome: 'cancelled', finishedAt: 1_010 }]);
});

test('a job that was given back before it began is queued as a later run, and has no attempt', () => {
  const { jobs, attempts } = project(history(['turnBack'], false));
  expect(jobs[0]).toMatchObject({ state: 'queued', attempt: 1, run: 2 });
  expect(attempts).toEqual([]);
});

test('the first end wins, and an end wins over anything later on the way', () => {
  const ended = project(history(['cancel'], false)).jobs[0];
  const succeeded = project(history(['fail', 'succeed'], false)).jobs[0];
  const running = project(history(['fail', 'fail', 'lose'], false)).jobs[0];
  if (!ended || !succeeded || !running) throw new Error('each of these histories has a job');
  expect(mergeJob(ended, succeeded).state).toBe('cancelled');
  expect(mergeJob(succeeded, ended).state).toBe('succeeded');
  expect(mergeJob(ended, running).state).toBe('cancelled');
  expect(mergeJob(running, ended).state).toBe('cancelled');
  expect(isTerminal(running.state)).toBe(false);
});

test('progress implies that its run has begun; the last of it stays beside whatever the state is', () => {
  const run = { runId: uuidV7(1_000, new Uint8Array(10)), worker: 'w', startedAt: 1_005 };
  const said = (value: number, at: number, note?: string): JobEvent => ({
    ...factsOf(job, TRACE, 5),
    kind: 'progress',
    ...run,
    value,
    at,
    ...(note === undefined ? {} : { note }),
  });
  const [first] = project([said(5, 1_010, 'a')]).jobs;
  expect(first).toMatchObject({ state: 'running', startedAt: 1_005, worker: 'w' });
  expect(first?.progress).toEqual({ value: 5, note: 'a', run: 1, at: 1_010 });
  expect(project([said(5, 1_010)]).attempts).toEqual([]);
  const succeeded = project([...history(['succeed'], true), said(90, 1_012), said(50, 1_011)]).jobs;
  expect(succeeded).toMatchObject([{ state: 'succeeded', progress: { value: 90 } }]);
});
