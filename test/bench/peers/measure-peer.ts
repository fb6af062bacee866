import type { PeerResult } from '../result.ts';
import { chooseSettings, figuresInWords, settingsInWords, sizeOf } from './choose-settings.ts';
import { type PeerRun, runOnce } from './run-once.ts';
import type { Figures } from './run-program.ts';

/** The runs of one row of one peer, each on a fresh server: one result, or two for a latency. */
export async function measurePeer(params: PeerRun): Promise<PeerResult[]> {
  const { competitor, row, log, signal } = params;
  const { peer, variant, settings: common } = competitor;
  const name = `${peer} (${variant}) ${row}`;
  const size = sizeOf(params);
  const runs: Figures[] = [];
  let chosen = '';
  let version = '';
  let missing: string | undefined;
  try {
    log(name);
    const settings = await chooseSettings(params);
    chosen = settingsInWords(settings);
    for (let number = 1; number <= params.runs; number++) {
      const done = await runOnce({ ...params, settings, size });
      version = done.version;
      runs.push(done.figures);
      log(`  run ${number} of ${params.runs}: ${figuresInWords(row, done.figures, size)}`);
    }
  } catch (error) {
    signal.throwIfAborted();
    missing = error instanceof Error ? error.message : String(error);
    log(`  not measured: ${missing}`);
  }
  const words = { settings: common, chosen, version, ...(missing === undefined ? {} : { missing }) };
  const figuresOf = (figure: (run: Figures) => number) => (missing === undefined ? runs.map(figure) : []);
  if (row !== 'latency') {
    const rates = figuresOf(({ seconds = Number.NaN }) => size.jobs / seconds);
    return [{ peer, row, ...words, variant, unit: 'jobs/s', runs: rates }];
  }
  return [
    {
      peer,
      row,
      ...words,
      variant: `${variant}, p50`,
      unit: 'ms',
      runs: figuresOf(({ p50 = Number.NaN }) => p50),
    },
    {
      peer,
      row,
      ...words,
      variant: `${variant}, p99`,
      unit: 'ms',
      runs: figuresOf(({ p99 = Number.NaN }) => p99),
    },
  ];
}
