import { type ProcessTable, readMemory, readProcesses, treeOf } from './process-table.ts';
import type { ProcessFigures } from './result.ts';

/** The processes of one run, each with its children. */
export interface ProcessWatch {
  /** A number is put behind a name that is taken. */
  add(name: string, pid: number): void;
  /** Physical memory that each process has now with its children, bytes. */
  residentBytes(): Promise<ReadonlyMap<string, number>>;
  /** Begins to count CPU time; what is returned ends it. */
  startClock(): Promise<Clock>;
  stop(): void;
}

/** Counts from its start. */
export interface Clock {
  stop(): Promise<{ readonly seconds: number; readonly processes: readonly ProcessFigures[] }>;
}

/** How often the memory of processes with children is looked at, milliseconds. */
const SAMPLE_MS = 1_000;

/** Watches until it is stopped. */
export function watchProcesses(): ProcessWatch {
  const pids = new Map<string, number>();
  const peaks = new Map<string, number>();
  const look = async (table: ProcessTable) => {
    const now = new Map<string, number>();
    for (const [name, pid] of pids) {
      const tree = treeOf(table, pid).map((entry) => entry.pid);
      const memory = await readMemory(tree);
      if (memory.length === 0) continue;
      const resident = together(memory);
      const peak = memory.length === 1 ? (memory[0]?.peakBytes ?? 0) : resident;
      now.set(name, resident);
      peaks.set(name, Math.max(peaks.get(name) ?? 0, peak));
    }
    return now;
  };
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void readProcesses()
      .then(look)
      .catch(() => undefined)
      .finally(() => {
        looking = false;
      });
  }, SAMPLE_MS);
  timer.unref();
  const cpu = (table: ProcessTable) =>
    new Map([...pids].map(([name, pid]) => [name, sum(treeOf(table, pid).map((each) => each.cpuSeconds))]));
  return {
    add(name, pid) {
      let free = name;
      for (let number = 2; pids.has(free); number++) free = `${name} ${number}`;
      pids.set(free, pid);
    },
    residentBytes: async () => look(await readProcesses()),
    async startClock() {
      const begun = performance.now();
      const before = cpu(await readProcesses());
      return {
        async stop() {
          const seconds = (performance.now() - begun) / 1_000;
          const table = await readProcesses();
          await look(table);
          const processes = [...cpu(table)]
            .filter(([name]) => peaks.has(name))
            .map(([name, spent]) => ({
              name,
              // A process that ended meanwhile has no time any more.
              cpuSeconds: Math.max(0, Math.round((spent - (before.get(name) ?? 0)) * 100) / 100),
              peakBytes: peaks.get(name) ?? 0,
            }));
          return { seconds, processes };
        },
      };
    },
    stop: () => clearInterval(timer),
  };
}

/** Memory of processes that share some of it: shared pages count once. */
function together(memory: readonly { residentBytes: number; sharedBytes: number }[]): number {
  const own = sum(memory.map(({ residentBytes, sharedBytes }) => residentBytes - sharedBytes));
  return own + Math.max(0, ...memory.map(({ sharedBytes }) => sharedBytes));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
