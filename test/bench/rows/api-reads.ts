import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePartitions, openDatabase } from '@jetbeat/postgres';
import { startBare } from '../bare.ts';
import type { Load } from '../load.ts';
import type { Found, Row } from '../row.ts';
import { SEED_DAYS, seedHistory } from '../seed-history.ts';
import type { Stage } from '../stage.ts';
import { latencyFigures } from '../statistics.ts';

/** Lists, searches and counts over a large history, beside a list that only reads rows. */
export const apiReads: Row = {
  name: 'api-reads',
  what: 'lists, searches and counts at 300 a second, 1,000,000 jobs in history; beside a bare Fastify + pg route',
  measures: [
    { name: 'p50', unit: 'ms', better: 'less' },
    { name: 'p99', unit: 'ms', better: 'less', goal: 100 },
    { name: 'list p99', unit: 'ms', better: 'less' },
    { name: 'search p99', unit: 'ms', better: 'less' },
    { name: 'count p99', unit: 'ms', better: 'less' },
    { name: 'bare p50', unit: 'ms', better: 'less' },
    { name: 'bare p99', unit: 'ms', better: 'less' },
  ],
  run: (open) => open(reading),
};

const RATE = 300;
const SECONDS = 20;
const WARM_UP_S = 5;

async function reading(stage: Stage): Promise<Found> {
  const { quick } = stage;
  const jobs = quick ? 20_000 : 1_000_000;
  await stage.start('api');
  await fill(stage, jobs);
  const load = await stage.load();
  const paths = mixed();
  const read = (url: string, asked: readonly string[], seconds: number) =>
    load.call({ kind: 'read', url, apiKey: stage.apiKey, paths: asked, rate: RATE, count: RATE * seconds });
  await read(stage.apiUrl, paths, quick ? 1 : WARM_UP_S);
  const clock = await stage.processes.startClock();
  const { seconds, calls = [] } = await read(stage.apiUrl, paths, quick ? 2 : SECONDS);
  const { processes } = await clock.stop();
  const bare = await readBare(stage, read);
  const { p50, p99 } = latencyFigures(calls);
  const ofKind = (kind: Kind) =>
    latencyFigures(calls.filter((_, index) => kindOf(paths[index % paths.length] ?? '') === kind)).p99;
  return {
    seconds,
    figures: {
      p50,
      p99,
      'list p99': ofKind('list'),
      'search p99': ofKind('search'),
      'count p99': ofKind('count'),
      ...bare,
    },
    counts: [{ what: 'count(*) of job', wanted: jobs, found: await stage.history.jobs() }],
    processes,
  };
}

/** Makes the days of last week and fills them. */
async function fill(stage: Stage, jobs: number): Promise<void> {
  const now = Date.now();
  const db = await openDatabase({ url: stage.databaseUrl, applicationName: 'bench' });
  await ensurePartitions(db, { now: now - SEED_DAYS * 86_400_000, daysAhead: SEED_DAYS });
  await db.close();
  await seedHistory(stage.history, jobs, now);
}

type Reader = (url: string, paths: readonly string[], seconds: number) => ReturnType<Load['call']>;

/** The same lists, as far as the bare route has them. */
async function readBare(stage: Stage, read: Reader): Promise<Record<'bare p50' | 'bare p99', number>> {
  const logFile = join(tmpdir(), `jetbeat-bench-bare-${process.pid}.log`);
  const bare = await startBare({ databaseUrl: stage.databaseUrl, logFile });
  try {
    await read(bare.url, lists, stage.quick ? 1 : WARM_UP_S);
    const { calls = [] } = await read(bare.url, lists, stage.quick ? 2 : SECONDS);
    const { p50, p99 } = latencyFigures(calls);
    return { 'bare p50': p50, 'bare p99': p99 };
  } finally {
    await bare.stop();
  }
}

type Kind = 'list' | 'search' | 'count';

function kindOf(path: string): Kind {
  if (path.includes('/counts')) return 'count';
  return path.includes('search=') || path.includes('meta.') ? 'search' : 'list';
}

const JOBS = '/api/v1/jobs';
const each = (count: number, path: (number: number) => string) =>
  Array.from({ length: count }, (_, number) => path(number));
const search = (text: string) => `${JOBS}?search=${encodeURIComponent(text)}`;

const lists = [
  JOBS,
  ...['dead', 'succeeded', 'running', 'cancelled'].map((state) => `${JOBS}?state=${state}`),
  ...each(8, (n) => `${JOBS}?queue=queue${n}`),
  ...each(40, (n) => `${JOBS}?task=bench.task${n}`),
  ...each(8, (n) => `${JOBS}?queue=queue${n}&state=dead`),
];
const searches = [
  ...each(8, (n) => search(`state:dead queue:queue${n} error:timeout`)),
  ...each(10, (n) => search(`task:bench.task${n}*`)),
  ...each(10, (n) => search(`state:dead,expired task${n}`)),
  // One of a hundred thousand: as far is looked as one answer may.
  ...each(10, (n) => search(`input.user.id:${n * 9_973}`)),
  ...each(10, (n) => `${JOBS}?meta.tenant=t${n * 97}`),
];
const counts = [
  `${JOBS}/counts`,
  ...each(8, (n) => `${JOBS}/counts?queue=queue${n}`),
  `${JOBS}/counts?search=error:timeout`,
];

/** Six lists, three searches and one count of every ten. */
function mixed(): string[] {
  const pick = (from: readonly string[], index: number) => from[index % from.length] ?? JOBS;
  return Array.from({ length: 480 }, (_, n) => {
    const round = Math.floor(n / 10);
    const place = n % 10;
    if (place === 9) return pick(counts, round);
    if (place % 3 === 1) return pick(searches, round * 3 + Math.floor(place / 3));
    return pick(lists, round * 6 + place);
  });
}
