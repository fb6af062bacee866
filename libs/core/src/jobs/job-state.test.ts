import { expect, test } from 'vitest';
import {
  canGo,
  canReach,
  isTerminal,
  JOB_STATES,
  type JobState,
  NOT_BEGUN_STATES,
  TERMINAL_STATES,
} from './job-state.ts';

/** The table of the design, written down a second time; by hand what waits can be put off (`scheduled`). */
const ARROWS: Record<JobState, string> = {
  blocked: 'queued cancelled',
  scheduled: 'queued cancelled expired',
  queued: 'running parked scheduled cancelled expired dead',
  parked: 'queued running scheduled cancelled expired dead',
  running: 'succeeded retrying dead cancelling cancelled queued',
  retrying: 'queued running parked cancelled expired dead',
  cancelling: 'cancelled succeeded dead',
  succeeded: '',
  dead: '',
  cancelled: '',
  expired: '',
};
const pairs = JOB_STATES.flatMap((from) => JOB_STATES.map((to) => [from, to] as const));

test('the table has the arrows of the design and no others', () => {
  for (const [from, to] of pairs) {
    expect(canGo(from, to), `${from} -> ${to}`).toBe(ARROWS[from].split(' ').includes(to));
  }
});

test('what can be reached is what some way of arrows leads to', () => {
  const reach = new Set(pairs.filter(([from, to]) => canGo(from, to)).map(([from, to]) => `${from} ${to}`));
  for (let size = -1; size !== reach.size; ) {
    size = reach.size;
    for (const [from, to] of pairs) {
      if (JOB_STATES.some((via) => reach.has(`${from} ${via}`) && reach.has(`${via} ${to}`)))
        reach.add(`${from} ${to}`);
    }
  }
  for (const [from, to] of pairs)
    expect(canReach(from, to), `${from} -> ${to}`).toBe(reach.has(`${from} ${to}`));
});

test('the terminal states are those that lead nowhere; a job that has not begun can be cancelled', () => {
  expect(JOB_STATES.filter(isTerminal)).toEqual([...TERMINAL_STATES]);
  for (const state of NOT_BEGUN_STATES) expect(canGo(state, 'cancelled')).toBe(true);
  expect(NOT_BEGUN_STATES).not.toContain('running');
});
