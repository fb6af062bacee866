import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { resolveNatsServer } from '@jetbeat/infra/dev';
import { PEERS_FILE, readMeasured, writeDocument } from './document.ts';
import { measureRow } from './measure-row.ts';
import { type BenchOptions, parseOptions, usage } from './options.ts';
import { peerTable } from './peer-table.ts';
import type { PeerParams, PeerResult, RowResult } from './result.ts';
import { rows } from './rows/index.ts';
import { resultTable } from './table.ts';

const names = rows.map(({ name }) => name);
const root = resolve(import.meta.dirname, '../..');

/** Runs what was asked for. Returns the exit code: 1 when a row could not be measured. */
async function bench(options: BenchOptions, signal: AbortSignal): Promise<number> {
  const cacheDir = join(root, '.jetbeat', 'cache');
  const out = options.out === undefined ? join(root, '.jetbeat', 'bench') : resolve(options.out);
  await mkdir(cacheDir, { recursive: true });
  await mkdir(out, { recursive: true });
  const bin = process.env['JETBEAT_NATS_SERVER_BIN'] ?? '';
  const natsBin = await resolveNatsServer({ cacheDir, log: console.log, signal, bin });
  const { quick, runs, profile } = options;
  const env: Record<string, string> =
    profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${resolve(profile)}` };
  const results: RowResult[] = [];
  let failed = 0;
  for (const row of rows.filter(({ name }) => options.rows?.includes(name) ?? true)) {
    if (signal.aborted) break;
    console.log(`${row.name}: ${row.what}`);
    const file = join(out, `${row.name}.json`);
    // A row that fails has no figures, and none of an earlier time either.
    await rm(file, { force: true });
    try {
      const order = { natsBin, env, ...orderOf(options) };
      const result = await measureRow({ row, runs, order, signal, log: console.log });
      await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
      results.push(result);
    } catch (error) {
      failed++;
      console.error(`  FAILED: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (results.length > 0) console.log(`\n${resultTable(results)}`);
  const measured = await readMeasured(out, names);
  if (options.peers && !signal.aborted) {
    const peers = await measurePeers({ runs, quick, cacheDir, signal, log: console.log });
    failed += peers.filter(({ missing }) => missing !== undefined).length;
    await writeFile(join(out, PEERS_FILE), `${JSON.stringify(peers, null, 2)}\n`);
    console.log(`\n${peerTable({ rows: measured.rows, peers })}`);
  }
  if (options.write && !signal.aborted) {
    await writeDocument(join(root, 'docs/performance.md'), await readMeasured(out, names));
  }
  return failed === 0 && !signal.aborted ? 0 : 1;
}

/** What holds for every row. */
function orderOf({ quick, concurrency, seconds }: BenchOptions) {
  return { quick, concurrency, ...(seconds === undefined ? {} : { seconds }) };
}

/** Other products, in a folder that is gone afterwards. */
async function measurePeers(params: Omit<PeerParams, 'dir'>): Promise<PeerResult[]> {
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-peers-'));
  try {
    const { runPeers } = await import('./peers/index.ts');
    return await runPeers({ ...params, dir });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), names);
  if (options === 'help') {
    console.log(usage);
    return 0;
  }
  const stopping = new AbortController();
  const stop = () => stopping.abort(new Error('stopped'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const) process.once(signal, stop);
  return await bench(options, stopping.signal);
}

try {
  process.exit(await main());
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
