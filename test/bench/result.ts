/** What one process (with its children) used while the clock ran; memory over its whole life. */
export interface ProcessFigures {
  /** `nats-server`, `postgres`, `worker`, `recorder`, `scheduler`, `api`, `load`; numbered where there are several. */
  readonly name: string;
  /** User and system time of all its threads and children between the clock's start and its stop. */
  readonly cpuSeconds: number;
  /** The most physical memory it had, bytes. */
  readonly peakBytes: number;
}

/** A number that a server answered for, beside the number that it had to be. */
export interface Count {
  /** Where it was read, e.g. `JOBS last sequence` or `count(*) of attempt`. */
  readonly what: string;
  readonly wanted: number;
  readonly found: number;
}

/** One run of a row, on fresh servers. */
export interface RunResult {
  /** RFC 3339. */
  readonly at: string;
  /** How long the clock ran, seconds. */
  readonly seconds: number;
  /** By the names of the row's measures. */
  readonly figures: Readonly<Record<string, number>>;
  readonly counts: readonly Count[];
  readonly processes: readonly ProcessFigures[];
  /** What is worth knowing of this run beside its measures, e.g. samples of memory or the rate that was offered. */
  readonly notes?: Readonly<Record<string, unknown>>;
}

/** What a row measures, and what it should reach. */
export interface Measure {
  readonly name: string;
  readonly unit: Unit;
  /** Which way is better. */
  readonly better: 'more' | 'less';
  readonly goal?: number;
}

/** Units of measures. */
type Unit = 'jobs/s' | 'schedules/s' | 'attempts/s' | 'ms' | 'MiB' | 'MiB/s' | 'ratio';

/** The machine and the versions under which a row was measured. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
  readonly nats: string;
  readonly postgres: string;
  /** Of the checkout; ends with `+` when files were changed since. Absent outside a repository. */
  readonly commit?: string;
}

/** All runs of a row: the content of `.jetbeat/bench/<row>.json`. */
export interface RowResult {
  readonly row: string;
  readonly what: string;
  /** Small counts, one run: it shows that the row works, and nothing about speed. */
  readonly quick: boolean;
  readonly machine: Machine;
  readonly measures: readonly (Measure & {
    readonly median: number;
    readonly range: readonly [number, number];
  })[];
  readonly runs: readonly RunResult[];
}

/** What `runPeers` is given. */
export interface PeerParams {
  /** How many runs of each row; their median is printed. */
  readonly runs: number;
  /** Small counts: shows that it works, and nothing about speed. */
  readonly quick: boolean;
  /** Where downloaded or built servers may be kept for the next time. */
  readonly cacheDir: string;
  /** A folder of its own for data, removed by the caller afterwards. */
  readonly dir: string;
  readonly log: (line: string) => void;
  /** Aborted when the user stops the bench: end every process and reject. */
  readonly signal: AbortSignal;
}

/** One row of one other product in one setting. */
export interface PeerResult {
  readonly peer: string;
  /** The setting that tells it from its siblings, e.g. `appendfsync always`. */
  readonly variant: string;
  /** Beside our rows `enqueue-many`, `drain` and `latency-200`. A latency's variant ends in `, p50` or `, p99`. */
  readonly row: 'bulk' | 'drain' | 'latency';
  readonly unit: 'jobs/s' | 'ms';
  /** One figure per run; none when it could not be measured. */
  readonly runs: readonly number[];
  /** The settings that hold for all its rows, and where they come from, in words. */
  readonly settings: string;
  /** The settings of this row, in words: what its documents leave open was tried out on this machine. */
  readonly chosen: string;
  /** Of the product, with its server's. */
  readonly version: string;
  /** Why it could not be measured. Its presence makes the bench end with a failure. */
  readonly missing?: string;
}
