import { expect, test } from 'vitest';
import { createLiveEvents } from './live-events.ts';

const never = () => Promise.reject(new Error('nobody asks'));
const ports = {
  isConnected: () => false,
  stand: never,
  readEvents: never,
  jobMarks: never,
  stillMay: async () => new Set<string>(),
};
const limits = { streams: 1, perCaller: 1, waitingBytes: 1, waitingOfOne: { most: 1, least: 1 } };
const caller = { kind: 'key', id: 'a', name: 'a', role: 'viewer', payloads: true } as const;

test('once the process stops no stream begins: that is why, and not a server that is away', async () => {
  const log = { warn() {}, debug() {} } as never;
  const events = createLiveEvents({ ports, limits, log });
  await events.stop();
  const to = { response: {} as never, begin: () => expect.unreachable() };
  await expect(events.tell({ caller, filter: {}, after: undefined, to })).rejects.toMatchObject({
    code: 'stopping',
    retryAfter: 1,
  });
  const ofJob = { caller, job: 'j', look: async () => undefined, to };
  await expect(events.tellOfJob(ofJob)).rejects.toMatchObject({ code: 'stopping' });
  // None of those who were refused has taken a place.
  expect(events.readings()).toMatchObject({ jetbeat_api_streams: 0 });
});
