import { encodeBatch, encodeEvent, FIRST_POSITION, publishedEvent, uuidV7 } from '@jetbeat/core';
import { expect, test } from 'vitest';
import { type Batch, readBatch } from './batch.ts';
import { createMadeJobs } from './made-jobs.ts';

const WHERE = { task: 'report.send', queue: 'mail', priority: 'normal', createdAt: 5, runAt: 5 } as const;
const ids = [1, 2, 3].map((byte) => uuidV7(5, new Uint8Array(10).fill(byte)));

function batch(seq: number, jobs: readonly (string | undefined)[]): Batch {
  const events = jobs.map((id = '') => publishedEvent({ id, ...WHERE, ...FIRST_POSITION }, undefined));
  return readBatch({ seq, data: encodeBatch(events.map(encodeEvent)) });
}
const told = ({ seq, events }: Batch) => events.map(({ index }) => `${seq}.${index}`);

test('that there is a job is told once, at its first place, however often that is read', () => {
  const { once } = createMadeJobs();
  const [first, second] = [batch(7, [ids[0], ids[1], ids[0]]), batch(9, [ids[1], ids[2]])];
  for (let times = 0; times < 2; times++) {
    expect(told(once(first))).toEqual(['7.0', '7.1']);
    expect(told(once(second))).toEqual(['9.1']);
  }
});

test('what is remembered has an end', () => {
  const { once } = createMadeJobs(2);
  for (const [seq, id] of ids.entries()) expect(told(once(batch(seq, [id])))).toEqual([`${seq}.0`]);
  expect(told(once(batch(8, [ids[2], ids[0]])))).toEqual(['8.1']);
});
