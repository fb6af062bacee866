import { LATENCY_RATE, type PeerRow, type Settings, type Size } from './competitor.ts';
import { type PeerRun, runOnce } from './run-once.ts';
import type { Figures } from './run-program.ts';

/** A part of a row's jobs is enough to tell settings apart. */
const TRIAL_PART = 1 / 4;

/**
 * The settings that a row is measured with: the only ones, or those that do best in one short trial each. A quick bench
 * takes the first.
 * @throws when a trial fails
 */
export async function chooseSettings(params: PeerRun): Promise<Settings> {
  const { competitor, row, quick, log } = params;
  const { candidates } = competitor.rows[row];
  const [first, ...others] = candidates;
  if (quick || others.length === 0) return first;
  const trials: { settings: Settings; score: number }[] = [];
  for (const settings of candidates) {
    const size = sizeOf(params, TRIAL_PART);
    const { figures } = await runOnce({ ...params, settings, size });
    trials.push({ settings, score: scoreOf(row, figures) });
    log(`  trial of ${settingsInWords(settings)}: ${figuresInWords(row, figures, size)}`);
  }
  return best(trials).settings;
}

/** A fifth more jobs warm a run up; a quick one has a fiftieth of the jobs. */
export function sizeOf(params: Pick<PeerRun, 'competitor' | 'row' | 'quick'>, part = 1): Size {
  const full = params.competitor.rows[params.row].jobs * part;
  const jobs = Math.ceil(params.quick ? full / 50 : full);
  return { jobs, warmup: params.row === 'latency' ? LATENCY_RATE : Math.ceil(jobs / 5) };
}

/** The one with the highest score; the first of equals. */
export function best<T extends { score: number }>(trials: readonly T[]): T {
  const [found] = trials.toSorted((a, b) => b.score - a.score);
  if (found === undefined) throw new Error('there is nothing to choose from');
  return found;
}

/** E.g. `batch 500, inFlight 4`. */
export function settingsInWords(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/** The figures of one run, for whoever watches. */
export function figuresInWords(row: PeerRow, figures: Figures, { jobs }: Size): string {
  const { seconds = Number.NaN, p50 = Number.NaN, p99 = Number.NaN } = figures;
  if (row === 'latency') return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
  return `${Math.round(jobs / seconds).toLocaleString('en')} jobs/s (${jobs} in ${seconds.toFixed(2)} s)`;
}

/** Fewer seconds are better, and of latencies a shorter median. */
function scoreOf(row: PeerRow, { seconds = Infinity, p50 = Infinity }: Figures): number {
  return -(row === 'latency' ? p50 : seconds);
}
