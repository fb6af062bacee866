import type { Delivery } from '@jetbeat/jetstream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { newJob } from '../../../test/support/recorder.ts';
import { drain } from './drain.ts';
import { instant } from './ends/own-retries.ts';
import { Held } from './held.ts';
import { HeldJobs } from './held-jobs.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A worker that stops with these jobs, by name; each takes so long to end once it was told to, and may have a grace. Milliseconds. */
function bench(told: Readonly<Record<string, { takes: number; grace?: number }>>) {
  const begun = Date.now();
  const done: string[] = [];
  const note = (what: string) => void done.push(`${Math.floor((Date.now() - begun) / 100) / 10} s: ${what}`);
  const jobs = new HeldJobs();
  const graces = new Map<string, number>();
  const names = new Map<Held, string>();
  const end = (held: Held, how: string) => {
    if (held.phase !== 'running') return;
    note(`${names.get(held)} ${how}`);
    jobs.end(held);
    jobs.remove(held);
  };
  for (const [name, { takes, grace = 0 }] of Object.entries(told)) {
    const held = new Held({
      job: newJob({ task: name }),
      since: instant(),
      suspect: false,
      traced: false,
      delivery: { seq: 1, nak() {}, ack() {} } as unknown as Delivery,
    });
    names.set(held, name);
    graces.set(name, grace);
    jobs.add(held);
    jobs.begin(held);
    held.interrupt.listen(() => void setTimeout(() => end(held, 'ends'), takes));
  }
  const draining = drain({
    jobs,
    drainMs: 0,
    commands: {
      graceOf: ({ task }) => graces.get(task) ?? 0,
      killCommands() {
        for (const held of jobs.all())
          if (graces.get(held.job.task)) setTimeout(() => end(held, 'killed'), 10);
      },
    },
    async giveBack(held) {
      note(`${names.get(held)} given back`);
    },
    letGo: (held) => jobs.remove(held),
    log: { info() {}, warn() {} },
  });
  return { draining, done };
}

test('a command has its grace; who has none is given back after half a second, and not later for that', async () => {
  const { draining, done } = bench({
    command: { takes: 4_000, grace: 5_000 },
    heeds: { takes: 200 },
    deaf: { takes: 60_000 },
  });
  await vi.advanceTimersByTimeAsync(4_100);
  await draining;
  expect(done).toEqual(['0.2 s: heeds ends', '0.5 s: deaf given back', '4 s: command ends']);
});

test('a grace that is longer than a stop may take ends with it: the command is killed before its job is given back', async () => {
  const { draining, done } = bench({ command: { takes: 60_000, grace: 300_000 } });
  await vi.advanceTimersByTimeAsync(11_000);
  await draining;
  expect(done).toEqual(['10.5 s: command killed']);
});
