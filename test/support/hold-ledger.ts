import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One run of `hold-task.ts`. Unix milliseconds; a run whose process was killed ends with that. */
export interface HeldRun {
  readonly name: string;
  readonly job: string;
  readonly pid: number;
  readonly from: number;
  readonly to: number;
}

/** What `hold-task.ts` has written down. */
export interface HoldLedger {
  readonly file: string;
  /** @param killed when each process was killed: its runs were over by then */
  runs(killed?: ReadonlyMap<number, number>): Promise<HeldRun[]>;
  /** How many lines there are. */
  lines(): Promise<number>;
  stop(): Promise<void>;
}

/** Makes an empty one. */
export async function startHoldLedger(): Promise<HoldLedger> {
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-hold-'));
  const file = join(dir, 'ledger');
  await writeFile(file, '');
  const read = async () => (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  return {
    file,
    async runs(killed = new Map()) {
      const open = new Map<string, HeldRun[]>();
      const runs: HeldRun[] = [];
      for (const line of await read()) {
        const [what, name = '', job = '', pid = '0', at = '0'] = line.split(' ');
        const key = `${job} ${pid}`;
        const begun = open.get(key) ?? [];
        open.set(key, begun);
        if (what === 'begin') {
          begun.push({ name, job, pid: Number(pid), from: Number(at), to: Number.POSITIVE_INFINITY });
        } else {
          const run = begun.shift();
          if (run) runs.push({ ...run, to: Number(at) });
        }
      }
      const cut = [...open.values()].flat();
      return [...runs, ...cut.map((run) => ({ ...run, to: killed.get(run.pid) ?? run.to }))];
    },
    lines: async () => (await read()).length,
    stop: () => rm(dir, { recursive: true, force: true }),
  };
}

/** The most runs that were under way at one instant; of two at the same millisecond the end comes first. */
export function mostAtOnce(runs: readonly HeldRun[]): number {
  const changes = runs.flatMap(({ from, to }) => [
    { at: from, by: 1 },
    { at: to, by: -1 },
  ]);
  changes.sort((a, b) => a.at - b.at || a.by - b.by);
  let now = 0;
  let most = 0;
  for (const { by } of changes) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

/** The breaks between the runs of one slot, longest first, in milliseconds. */
export function breaks(runs: readonly HeldRun[]): number[] {
  const sorted = runs.toSorted((a, b) => a.from - b.from);
  return sorted
    .slice(1)
    .map(({ from }, index) => from - (sorted[index]?.to ?? from))
    .toSorted((a, b) => b - a);
}

/** Runs by their name. */
export function byName(runs: readonly HeldRun[]): Map<string, HeldRun[]> {
  return Map.groupBy(runs, ({ name }) => name);
}

/** The most that began in any time of `ms` milliseconds. */
export function mostBegunIn(runs: readonly HeldRun[], ms: number): number {
  const times = runs.map(({ from }) => from).toSorted((one, other) => one - other);
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + ms).length));
}

/** How long it took from the first to begin to the last, milliseconds. */
export function spanOf(runs: readonly HeldRun[]): number {
  const times = runs.map(({ from }) => from);
  return Math.max(...times) - Math.min(...times);
}

/** The longest time in which none began between the first and the last, milliseconds. */
export function longestGap(runs: readonly HeldRun[]): number {
  const times = runs.map(({ from }) => from).toSorted((one, other) => one - other);
  return Math.max(...times.slice(1).map((from, index) => from - (times[index] ?? from)));
}
