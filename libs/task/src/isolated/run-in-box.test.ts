import { DEFAULT_POLICY } from '@jetbeat/core';
import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../clock.ts';
import { JOB } from '../execute.fixture.ts';
import { Interrupt } from '../interrupt.ts';
import { type Box, ChildLostError } from './box.ts';
import { TASKS } from './isolated.fixture.ts';
import type { FromBox } from './messages.ts';
import { runInBox } from './run-in-box.ts';

const HARD_MS = 60_000;

/** A run whose child has begun so long ago and is gone when the worker hears of it: nothing has come in between. */
async function goneAtOnce(agoMs: number) {
  const ended = Promise.withResolvers<ChildLostError>();
  let say: ((message: FromBox) => void) | undefined;
  const box: Box = {
    ready: Promise.resolve(),
    ended: ended.promise,
    started: true,
    alive: true,
    send() {},
    listen: (next) => {
      say = next;
    },
    kill() {},
    close() {},
  };
  const clock: Clock = { ...systemClock, now: () => 1_000_000, elapsed: () => 0 };
  const running = runInBox({
    box,
    run: {
      runId: 'r',
      job: JOB,
      policy: { ...DEFAULT_POLICY, timeout: { hard: HARD_MS } },
      source: TASKS,
    },
    log: () => ({ debug() {}, info() {}, warn() {}, error() {} }),
    enqueue: () => Promise.reject(new Error('nothing is enqueued')),
    interrupt: new Interrupt(),
    clock,
    onBegin() {},
    onMemory() {},
  });
  say?.({ kind: 'began', runId: 'r', at: clock.now() - agoMs });
  ended.resolve(new ChildLostError('its process was killed by SIGKILL'));
  return running;
}

test('a child that ended itself past its limit has no loss, also where the worker stood still all the while', async () => {
  expect(await goneAtOnce(HARD_MS)).toMatchObject({
    outcome: 'timed-out',
    error: { code: 'hard_time_limit' },
  });
  expect(await goneAtOnce(HARD_MS - 1)).toMatchObject({ outcome: 'lost', error: { code: 'child_lost' } });
});
