import type { JobState } from '@jetbeat/core';
import { expect, test } from 'vitest';
import { newJob, settledEvent } from '../../../../test/support/recorder.ts';
import { createResults } from './results.ts';

/** A history that counts how often it is asked. */
function create(params: { maxAskers?: number; everyMs?: number } = {}) {
  const states = new Map<string, JobState>();
  const looks: (readonly string[])[] = [];
  const results = createResults({
    maxAskers: 10,
    everyMs: 60_000,
    ...params,
    log: { warn: () => {} },
    endings: async (ids) => {
      looks.push(ids);
      return ids.flatMap((id) => {
        const state = states.get(id);
        return state === undefined ? [] : [{ id, state, task: 't', result: id }];
      });
    },
  });
  return { results, states, looks };
}

test('what is over is answered at once, what is asked together is looked up together', async () => {
  const { results, states, looks } = create();
  states.set('a', 'succeeded').set('b', 'dead');
  const answers = ['a', 'b'].map((id) => results.ask({ id, waitMs: 60_000 }));
  expect(await Promise.all(answers)).toEqual([
    { state: 'succeeded', task: 't', result: 'a' },
    { state: 'dead', task: 't', result: 'b' },
  ]);
  expect(looks).toEqual([['a', 'b']]);
});

test('what this recorder records is looked up at once, what another one does after a while', async () => {
  const own = create();
  const job = newJob();
  const first = own.results.ask({ id: job.id, waitMs: 60_000 });
  await expect.poll(() => own.looks.length).toBe(1);
  own.states.set(job.id, 'succeeded');
  const retried = { state: 'retrying', attempt: 2, runAt: 1 } as const;
  own.results.note([settledEvent(newJob()), settledEvent(job, { next: retried })]);
  expect(own.looks.length).toBe(1);
  own.results.note([settledEvent(job)]);
  expect((await first).state).toBe('succeeded');

  const other = create({ everyMs: 5 });
  const second = other.results.ask({ id: 'b', waitMs: 60_000 });
  await expect.poll(() => other.looks.length).toBeGreaterThan(1);
  other.states.set('b', 'expired');
  expect((await second).state).toBe('expired');
});

test('it says how far a job is when the wait is over, when it stops, and when too many ask', async () => {
  const { results, states } = create({ maxAskers: 2 });
  expect(await results.ask({ id: 'none', waitMs: 20 })).toEqual({});
  states.set('a', 'running');
  expect(await results.ask({ id: 'a', waitMs: 50 })).toMatchObject({ state: 'running' });
  const waiting = [results.ask({ id: 'a', waitMs: 60_000 }), results.ask({ id: 'x', waitMs: 60_000 })];
  expect(await results.ask({ id: 'a', waitMs: 60_000 })).toEqual({ againMs: 1_000 });
  results.stop();
  await Promise.all(waiting);
});

test('a history that cannot be read is asked again', async () => {
  let fails = 1;
  const results = createResults({
    log: { warn: () => {} },
    everyMs: 5,
    endings: async ([id = '']) => {
      if (fails-- > 0) throw new Error('away');
      return [{ id, state: 'succeeded', task: 't' }];
    },
  });
  expect(await results.ask({ id: 'a', waitMs: 60_000 })).toMatchObject({ state: 'succeeded' });
});
