import type { Isolated } from '@jetbeat/core';
import type { Clock } from '../clock.ts';
import type { Box } from './box.ts';
import type { TaskSource } from './task-source.ts';

/** A box of the pool, and what it has been through. */
interface Pooled {
  readonly box: Box;
  /** Boxes with the same key stand in for each other. */
  readonly key: string;
  readonly isolation: Isolated;
  /** How many runs it has begun. */
  runs: number;
  /** Resident bytes of its process, as last said. */
  memory: number;
  /** When its last run began, and how long lies between two, in milliseconds. */
  takenAt: number;
  interval: number;
  /** It will take no further run soon, and its successor has been seen to. */
  isLeaving: boolean;
}

/** Boxes that are kept for the next run. */
export interface BoxPool {
  /** Lends a box for one run of a task from `source`; it may not be ready yet. */
  take(isolation: Isolated, source: TaskSource): Pooled;
  /** Its run is over. */
  give(pooled: Pooled): void;
  /** It says how much memory it holds. */
  noteMemory(pooled: Pooled, bytes: number): void;
  /** How many there are of a kind. */
  count(kind: Isolated['kind']): number;
  /** Ends all of them. */
  stop(): Promise<void>;
}

/** From this share of its memory bound on, a child's successor is started. */
const NEARLY = 0.8;

/**
 * Composes the pool. There are at most as many boxes as runs at once, and one more for each that is about to be replaced; one
 * that nobody needs for `idleMs` ends.
 */
export function createBoxPool(params: {
  readonly open: (isolation: Isolated) => Box;
  /** The most runs at once. */
  readonly max: () => number;
  readonly idleMs: number;
  readonly clock: Clock;
}): BoxPool {
  const { open, max, idleMs, clock } = params;
  const all = new Set<Pooled>();
  /** The longest idle first. */
  const idle = new Map<Pooled, () => void>();
  const sources = new Map<string, Map<string, TaskSource>>();
  /** How long the last one took to start, milliseconds. */
  let startMs = 0;
  const idleOf = (key: string) => [...idle.keys()].filter((pooled) => pooled.key === key && pooled.box.alive);

  const start = (isolation: Isolated, key: string): Pooled => {
    const at = clock.elapsed();
    const pooled: Pooled = {
      box: open(isolation),
      key,
      isolation,
      runs: 0,
      memory: 0,
      takenAt: at,
      interval: Number.POSITIVE_INFINITY,
      isLeaving: false,
    };
    all.add(pooled);
    void pooled.box.ready.then(() => {
      startMs = clock.elapsed() - at;
    });
    void pooled.box.ended.then(() => {
      all.delete(pooled);
      wake(pooled);
    });
    return pooled;
  };
  const wake = (pooled: Pooled) => {
    idle.get(pooled)?.();
    idle.delete(pooled);
  };
  const end = (pooled: Pooled) => {
    wake(pooled);
    pooled.box.close();
  };
  const leavingOf = (key: string) =>
    [...all].filter((one) => one.key === key && one.isLeaving && one.box.alive && !idle.has(one));
  /** However long the last run of a child takes, its successor is there when it ends. */
  const isSuccessor = ({ key }: Pooled) => idleOf(key).length <= leavingOf(key).length;
  const rest = (pooled: Pooled) => {
    const late = () => (isSuccessor(pooled) ? rest(pooled) : end(pooled));
    idle.set(pooled, clock.after(idleMs, late));
  };

  /** The successor of a child that takes no further run is there before it is needed. */
  const replace = (pooled: Pooled) => {
    if (pooled.isLeaving) return;
    pooled.isLeaving = true;
    const { key, isolation } = pooled;
    if (idleOf(key).length >= leavingOf(key).length) return;
    const next = start(isolation, key);
    next.box.send({ kind: 'load', sources: [...(sources.get(key)?.values() ?? [])] });
    rest(next);
  };

  const begin = (pooled: Pooled) => {
    const now = clock.elapsed();
    if (pooled.runs > 0) {
      const interval = now - pooled.takenAt;
      const known = Number.isFinite(pooled.interval) ? pooled.interval : interval;
      pooled.interval = known + (interval - known) / 8;
    }
    pooled.takenAt = now;
    pooled.runs++;
    const { maxJobs } = limitsOf(pooled.isolation);
    if (maxJobs === undefined) return;
    const left = maxJobs - pooled.runs;
    // Twice its start, since it loads modules too.
    if (left <= 0 || left * pooled.interval <= 2 * startMs) replace(pooled);
  };

  /** Who needs a box of one kind does not keep the idle ones of another. */
  const makeRoom = () => {
    for (const pooled of idle.keys()) {
      if (all.size < max()) return;
      end(pooled);
    }
  };

  return {
    take(isolation, source) {
      const key = JSON.stringify(isolation);
      const known = sources.get(key) ?? new Map<string, TaskSource>();
      sources.set(key, known.set(JSON.stringify(source), source));
      // The one that was used last is the warmest.
      let pooled = idleOf(key).at(-1);
      if (pooled) wake(pooled);
      else {
        makeRoom();
        pooled = start(isolation, key);
      }
      begin(pooled);
      return pooled;
    },
    give(pooled) {
      if (!pooled.box.alive) return;
      const { maxJobs, maxMemory = Number.POSITIVE_INFINITY } = limitsOf(pooled.isolation);
      if (pooled.runs >= (maxJobs ?? Number.POSITIVE_INFINITY) || pooled.memory > maxMemory) end(pooled);
      else {
        pooled.isLeaving = false;
        rest(pooled);
      }
    },
    noteMemory(pooled, bytes) {
      pooled.memory = bytes;
      const { maxMemory } = limitsOf(pooled.isolation);
      if (maxMemory !== undefined && bytes > NEARLY * maxMemory) replace(pooled);
    },
    count: (kind) => [...all].filter(({ isolation }) => isolation.kind === kind).length,
    async stop() {
      const gone = [...all].map(({ box }) => box.ended);
      for (const pooled of [...all]) end(pooled);
      await Promise.all(gone);
    },
  };
}

function limitsOf(isolation: Isolated): { readonly maxJobs?: number; readonly maxMemory?: number } {
  return isolation.kind === 'process' ? isolation : {};
}
