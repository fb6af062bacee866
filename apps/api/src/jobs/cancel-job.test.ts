import type { JobState } from '@jetbeat/core';
import type { JobRecord } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { type CancelPorts, cancelJob } from './cancel-job.ts';
import { notedPorts } from './noted-ports.fixture.ts';

/** Ports that write down what was asked of them. */
function create(state: JobState, changed: Partial<CancelPorts> = {}, seq?: number) {
  const row = {
    id: 'j',
    queue: 'q',
    priority: 'normal',
    state,
    ...(seq === undefined ? {} : { seq }),
  } as JobRecord;
  const ports: CancelPorts = {
    look: async () => row,
    begin: async () => row,
    end: async () => ({ cancelled: true, state: 'cancelled' }),
    mark: async () => {},
    removeWaiting: async () => 0,
    takeWaiting: async () => true,
    deleteMessage: async () => true,
    caughtUp: async () => {},
    ask: async () => ({ silent: [] }),
    stopping: async () => 'cancelling',
    pause: async () => {},
    isConnected: () => true,
    ...changed,
  };
  return notedPorts(ports);
}

test('a timer that was removed proves that nobody had it: no worker is asked', async () => {
  const { ports, calls } = create('scheduled', { removeWaiting: async () => 1 });
  await cancelJob(ports, 'j', undefined);
  expect(calls).toEqual(['look', 'isConnected', 'begin', 'mark', 'removeWaiting', 'end']);
});

test('so does a message that was deleted before it was handed out', async () => {
  const { ports, calls } = create('queued', {}, 5);
  await cancelJob(ports, 'j', undefined);
  expect(calls.slice(4)).toEqual(['removeWaiting', 'takeWaiting', 'end']);
});

test('handed out, and no worker has begun it: cancelled, and its message goes', async () => {
  const { ports, calls } = create('retrying', { takeWaiting: async () => false }, 5);
  await cancelJob(ports, 'j', undefined);
  expect(calls.slice(4)).toEqual([
    ...['removeWaiting', 'takeWaiting', 'caughtUp', 'ask', 'deleteMessage', 'caughtUp', 'end'],
  ]);
});

const holder = { worker: 'w', settling: false };

test.each(['running', 'cancelling'] as const)('%s: it is stopped where it runs', async (state) => {
  const { ports, calls } = create(state, { ask: async () => ({ holder, silent: [] }) }, 5);
  await cancelJob(ports, 'j', undefined);
  expect(calls).toEqual(['look', 'isConnected', 'begin', 'mark', 'ask', 'stopping']);
});

test('begun without a word of it in history, or perhaps at a worker that does not answer: it is being cancelled', async () => {
  for (const asked of [{ holder, silent: [] }, { silent: ['w'] }]) {
    const { ports, calls } = create('queued', { ask: async () => asked });
    await cancelJob(ports, 'j', undefined);
    expect(calls.slice(-3)).toEqual(['caughtUp', 'ask', 'stopping']);
  }
});

test('waits for its time, or looked for in vain, and a worker that does not answer: it is left as it is', async () => {
  const asked = { takeWaiting: async () => false, ask: async () => ({ silent: ['w'] }) };
  const { ports, calls } = create('scheduled', { ...asked, stopping: async () => 'scheduled' });
  expect(await cancelJob(ports, 'j', undefined)).toMatchObject({ left: { code: 'workers_silent' } });
  expect(calls).not.toContain('pause');
});

test('its worker is gone: whoever gets it next drops it, so its message stays', async () => {
  const { ports, calls } = create(
    'running',
    { end: async () => ({ cancelled: false, state: 'running' }) },
    5,
  );
  await cancelJob(ports, 'j', undefined);
  expect(calls.slice(4)).toEqual(['ask', 'caughtUp', 'end', 'stopping']);
});

test('its attempt has just ended: what came of it is waited for, and what waits again is cancelled', async () => {
  const answers = [{ holder: { ...holder, settling: true }, silent: [] }];
  const rows: JobState[] = ['running', 'running', 'retrying', 'retrying'];
  const row = async () => ({ id: 'j', queue: 'q', priority: 'normal', state: rows.shift() }) as JobRecord;
  const { ports, calls } = create('running', {
    look: row,
    begin: row,
    ask: async () => answers.shift() ?? { silent: [] },
    removeWaiting: async () => 1,
  });
  await cancelJob(ports, 'j', undefined);
  expect(calls.slice(4)).toEqual([
    'ask',
    'pause',
    'look',
    'isConnected',
    'begin',
    'mark',
    'removeWaiting',
    'end',
  ]);
});

const gone = new Error('gone');
const fails = () => Promise.reject(gone);
test.each<[keyof CancelPorts, Partial<CancelPorts>]>([
  ['mark', {}],
  ['removeWaiting', {}],
  ['takeWaiting', {}],
  ['caughtUp', { takeWaiting: async () => false }],
  ['ask', { takeWaiting: async () => false }],
  ['deleteMessage', { takeWaiting: async () => false }],
  ['end', {}],
  ['stopping', { takeWaiting: async () => false, ask: async () => ({ silent: ['w'] }) }],
])(
  'once it is noted it holds: where `%s` fails, the rest is left, and nothing is taken back',
  async (step, changed) => {
    const { ports, calls } = create('queued', { ...changed, [step]: fails }, 5);
    expect(await cancelJob(ports, 'j', undefined)).toEqual({ left: gone });
    expect(calls.at(-1)).toBe(step);
  },
);

test('looked at once more in vain, or again and again: noted is noted', async () => {
  const holding = { ask: async () => ({ holder: { ...holder, settling: true }, silent: [] }) };
  let looks = 0;
  const lost = create('running', {
    ...holding,
    begin: async (id) => (looks++ === 0 ? create('running').ports.look(id) : fails()),
  });
  expect(await cancelJob(lost.ports, 'j', undefined)).toEqual({ left: gone });
  const { ports, calls } = create('running', holding);
  expect(await cancelJob(ports, 'j', undefined)).toMatchObject({
    left: { message: expect.stringContaining('20 times') },
  });
  expect(calls.filter((call) => call === 'pause')).toHaveLength(20);
});

test('not noted, or ended meanwhile: refused', async () => {
  const unknown = create('queued', { begin: fails });
  await expect(cancelJob(unknown.ports, 'j', undefined)).rejects.toBe(gone);
  const ended = create('queued', { end: async () => ({ cancelled: false, state: 'succeeded' }) });
  await expect(cancelJob(ended.ports, 'j', undefined)).rejects.toMatchObject({ code: 'job_ended' });
});

test.each(['succeeded', 'dead', 'expired'] as const)(
  '%s: refused before anything is touched',
  async (state) => {
    const { ports, calls } = create(state);
    await expect(cancelJob(ports, 'j', undefined)).rejects.toMatchObject({ code: 'job_ended' });
    expect(calls).toEqual(['look']);
  },
);

test('NATS away: nothing is changed; cancelled before: nothing to do; unknown: said so', async () => {
  const away = create('queued', { isConnected: () => false });
  await expect(cancelJob(away.ports, 'j', undefined)).rejects.toMatchObject({
    code: 'messaging_unavailable',
    retryAfter: 5,
  });
  expect(away.calls).toEqual(['look', 'isConnected']);
  const twice = create('cancelled');
  await cancelJob(twice.ports, 'j', undefined);
  expect(twice.calls).toEqual(['look']);
  const unknown = create('queued', { look: async () => undefined });
  await expect(cancelJob(unknown.ports, 'j', undefined)).rejects.toMatchObject({ code: 'job_not_found' });
});
