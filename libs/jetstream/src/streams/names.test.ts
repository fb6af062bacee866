import { expect, test } from 'vitest';
import {
  checkNamespace,
  durableName,
  jobSubject,
  parkedSubject,
  parseSubject,
  streamName,
  timerSubject,
} from './names.ts';

const none = { namespace: '' };
const acme = { namespace: 'acme' };
const id = '01987654-3210-7abc-8def-0123456789ab';

test('subjects are read as they were written, with and without a namespace', () => {
  for (const at of [none, acme]) {
    const job = { queue: 'mail', priority: 'high', task: 'media.sync_library' } as const;
    expect(parseSubject(at, jobSubject(at, job))).toEqual({ kind: 'job', ...job });
    expect(parseSubject(at, jobSubject(at, { ...job, front: true }))).toEqual({
      kind: 'job',
      ...job,
      front: true,
    });
    expect(parseSubject(at, timerSubject(at, id))).toEqual({ kind: 'timer', id });
    const hash = 'x1_-';
    for (const what of [{ what: 'doubt' }, { what: 'task', task: 'a.b.c' }, { what: 'key', hash }] as const) {
      expect(parseSubject(at, parkedSubject(at, { queue: 'mail', what, id }))).toEqual({
        kind: 'parked',
        queue: 'mail',
        what,
        id,
      });
    }
  }
  expect(jobSubject(acme, { queue: 'q', priority: 'low', task: 'a.b' })).toBe('acme.jobs.q.low.a.b');
  expect(parkedSubject(none, { queue: 'q', what: { what: 'task', task: 'a.b' }, id })).toBe(
    `parked.q.task:a/b.${id}`,
  );
  expect(streamName(acme, 'JOBS')).toBe('acme_JOBS');
  expect(durableName('a_high', 'low')).toBe('a_high_low');
});

test('what is not ours is not read', () => {
  for (const subject of [
    'jobs',
    'jobs.q.urgent.a',
    'jobs.q.low.',
    'jobs.q.low.a b',
    'timers.x',
    `timers.${id}.x`,
    'other.jobs.q.low.a',
  ]) {
    expect(parseSubject(none, subject)).toBeUndefined();
  }
  expect(parseSubject(acme, 'jobs.q.low.a')).toBeUndefined();
});

test('nothing unchecked becomes part of a name', () => {
  expect(() => jobSubject(none, { queue: 'a.b', priority: 'low', task: 'x' })).toThrow(/queue name/);
  expect(() => jobSubject(none, { queue: 'a', priority: 'low', task: 'x.>' })).toThrow(/task name/);
  expect(() => jobSubject(none, { queue: 'a', priority: '*' as 'low', task: 'x' })).toThrow(/priority/);
  expect(() => timerSubject(none, '*')).toThrow(/job id/);
  expect(() => checkNamespace('jobs')).toThrow(/namespace/);
  expect(() => checkNamespace('a.b')).toThrow(/namespace/);
  expect(checkNamespace('acme')).toBe('acme');
});
