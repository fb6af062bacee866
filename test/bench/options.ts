import { parseArgs } from 'node:util';

/** What `npm run bench` was asked to do. */
export interface BenchOptions {
  /** Names of rows; absent means all. */
  readonly rows?: readonly string[];
  readonly runs: number;
  readonly quick: boolean;
  readonly peers: boolean;
  readonly write: boolean;
  /** Where the JSON goes. */
  readonly out?: string;
  /** Handlers that a worker runs at once. */
  readonly concurrency: number;
  /** Of rows that go by the clock: other than what they ask for. */
  readonly seconds?: number;
  /** Folder for CPU profiles of every Node process under measure. */
  readonly profile?: string;
}

/** Shown by `--help`. */
export const usage = `npm run bench -- [options]
  --rows a,b         these rows only; \`none\` for none
  --runs N           runs of each row; the table shows their median (default 5)
  --quick            small counts, one run: shows that the rows work, and nothing about speed
  --seconds N        how long rows of schedules go on, to try something out: not for the tables
  --peers            other products on this machine as well, where their servers can be had
  --write            puts the tables of docs/performance.md in from the JSON that is there
  --out DIR          where the JSON goes (default .jetbeat/bench)
  --concurrency N    handlers that a worker runs at once (default 500)
  --profile DIR      V8's CPU profiles of the apps and of the load, into this folder
  --help             says this, and runs nothing`;

const DEFAULT_CONCURRENCY = 500;

/**
 * Reads the arguments.
 * @throws an error for an unknown option, row or number
 */
export function parseOptions(args: readonly string[], known: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string' },
      runs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      out: { type: 'string' },
      concurrency: { type: 'string' },
      seconds: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { quick, peers, write, out, profile } = values;
  const rows = values.rows === 'none' ? [] : values.rows?.split(',').map((name) => name.trim());
  for (const name of rows ?? []) {
    if (!known.includes(name)) throw new Error(`there is no row ${name}; there are ${known.join(', ')}`);
  }
  return {
    runs: quick ? 1 : wholeNumber('runs', values.runs ?? '5'),
    concurrency: wholeNumber('concurrency', values.concurrency ?? String(DEFAULT_CONCURRENCY)),
    quick,
    peers,
    write,
    ...(rows === undefined ? {} : { rows }),
    ...(out === undefined ? {} : { out }),
    ...(values.seconds === undefined ? {} : { seconds: wholeNumber('seconds', values.seconds) }),
    ...(profile === undefined ? {} : { profile }),
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} is a whole number above 0, not ${text}`);
}
