import { expect, test } from 'vitest';
import { LeaseMemory, leaseTime } from './lease-memory.ts';
import { createWorkerLease } from './worker-lease.ts';

function lease() {
  const memory = new LeaseMemory({ ttlMs: 60_000 });
  let asked = 0;
  const side = createWorkerLease(memory, () => {
    asked += 1;
    memory.renewed(leaseTime());
    side.told(`w.${asked}`);
  });
  return { memory, side, asked: () => asked };
}

test('a handler that begins under a lease counts in the same turn, and a later count corrects it', () => {
  const { memory, side } = lease();
  side.begins();
  side.begins();
  expect(memory.running).toBe(2);
  side.running(1);
  expect(memory.running).toBe(1);
});

test('no other lease is asked for while a handler runs under the one that was lost', async () => {
  const { side, asked } = lease();
  // The answer comes before anybody waits for it, so it is there at the second look.
  const first = side.want();
  expect(side.name).toBe('w.1');
  side.begins();
  side.told(undefined);
  expect(await side.want()).toBeUndefined();
  expect(asked()).toBe(1);
  side.running(0);
  void side.want();
  expect(asked()).toBe(2);
  expect(side.name).toBe('w.2');
  side.told('w.2');
  await first;
});
