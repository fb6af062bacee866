import type { GapReason } from '@jetbeat/core/http';
import type { Batch } from './batch.ts';
import type { EventPlace } from './event-id.ts';
import { type Seen, seenOf } from './slices.ts';
import type { View } from './view.ts';

/** A stream that hears what happens. It must not throw. */
export interface Listener {
  readonly view: View;
  /** What it sees of the next batch of which it sees anything. */
  take(seen: Seen): void;
  /** What came before `place` is not told. */
  miss(reason: GapReason, place: EventPlace): void;
}

/** All that listen. */
export interface Audience {
  /** Returns how to leave. */
  add(listener: Listener): () => void;
  tell(epoch: string, batch: Batch): void;
  miss(reason: GapReason, place: EventPlace): void;
}

/** Those who see the same. */
interface Group {
  readonly view: View;
  readonly listeners: Set<Listener>;
}

/** What is written is made once for all who see the same, and streams of single jobs are found by their jobs. */
export function createAudience(): Audience {
  const groups = new Map<string, Group>();
  /** Groups that see all jobs. */
  const wide = new Set<Group>();
  const ofJob = new Map<string, Set<Group>>();

  const join = (view: View): Group => {
    const known = groups.get(view.key);
    if (known) return known;
    const group: Group = { view, listeners: new Set() };
    groups.set(view.key, group);
    if (!view.jobs) wide.add(group);
    for (const job of view.jobs ?? []) {
      const those = ofJob.get(job) ?? new Set();
      ofJob.set(job, those.add(group));
    }
    return group;
  };
  const leave = (group: Group): void => {
    if (group.listeners.size > 0) return;
    groups.delete(group.view.key);
    wide.delete(group);
    for (const job of group.view.jobs ?? []) {
      const those = ofJob.get(job);
      those?.delete(group);
      if (those?.size === 0) ofJob.delete(job);
    }
  };
  const concerned = (batch: Batch): ReadonlySet<Group> => {
    if (ofJob.size === 0) return wide;
    const found = new Set(wide);
    for (const event of batch.events)
      if (event.of === 'job') for (const group of ofJob.get(event.job) ?? []) found.add(group);
    return found;
  };

  return {
    add(listener) {
      const group = join(listener.view);
      group.listeners.add(listener);
      return () => {
        group.listeners.delete(listener);
        leave(group);
      };
    },
    tell(epoch, batch) {
      for (const { view, listeners } of [...concerned(batch)]) {
        const seen = seenOf(view, epoch, batch);
        if (seen) for (const listener of [...listeners]) listener.take(seen);
      }
    },
    miss(reason, place) {
      for (const { listeners } of [...groups.values()])
        for (const listener of [...listeners]) listener.miss(reason, place);
    },
  };
}
