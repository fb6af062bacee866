import type { Delivery } from '@jetbeat/jetstream';
import { expect, test } from 'vitest';
import type { Held } from '../held.ts';
import { keep } from './keep.ts';

test('what was refused while it was taken is not kept alive', () => {
  const jobs = ['a', 'b', 'c'].map((id) => ({ job: { id }, kept: [] as number[] }) as unknown as Held);
  const deliveries = ['a', 'b', 'c'].map((id) => ({ ackSubject: `ack.${id}` }) as Delivery);
  const told: unknown[] = [];
  const released: number[] = [];
  const keepAlive = {
    hold: (list: readonly { id: string; ackSubject: string }[]) => {
      told.push(...list.map(({ id, ackSubject }) => [id, ackSubject]));
      return 7;
    },
    release: (key: number) => void released.push(key),
  };
  keep(
    keepAlive,
    (held) => held !== jobs[1],
    deliveries,
    (delivery) => jobs[deliveries.indexOf(delivery)],
  );
  expect(told).toEqual([
    ['a', 'ack.a'],
    ['b', 'ack.b'],
    ['c', 'ack.c'],
  ]);
  expect(released).toEqual([8]);
  expect(jobs.map(({ kept }) => kept)).toEqual([[7], [], [9]]);
});
