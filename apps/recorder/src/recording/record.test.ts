import { encodeBatch, encodeEvent, type PolicyOverrides } from '@jetbeat/core';
import { silentLog } from '@jetbeat/jetstream';
import { recordChanges } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createRecorderBench, workerEvent } from '../../../../test/support/recorder.ts';
import { createTally } from '../counts.ts';
import { recordDeliveries } from './record.ts';

test('a worker whose code says another limit than that of workers that run is warned about once', async () => {
  const { db } = await createRecorderBench();
  const warnings: object[] = [];
  const log = { ...silentLog, warn: (fields: object) => void warnings.push(fields) };
  const tally = createTally({ log });
  const params = { db, log, tally, recordChanges, ackWaitMs: 30_000, onRecorded: () => {} };
  const begin = async (worker: string, policy: PolicyOverrides) => {
    const data = encodeBatch([encodeEvent(workerEvent(worker, { tasks: [{ name: 'mail.send', policy }] }))]);
    await recordDeliveries(params, [{ seq: 1, data, ack: () => {}, nak: () => {} }]);
  };
  const [one, two] = [1, 2].map((limit) => ({ concurrency: { key: 'host', limit } }));
  await begin('old', one ?? {});
  expect(warnings).toEqual([]);
  await begin('new', two ?? {});
  await begin('newer', two ?? {});
  const none = { rate: null };
  expect(warnings).toEqual([
    { task: 'mail.send', workers: 1, before: { ...one, ...none }, now: { ...two, ...none } },
  ]);
});
