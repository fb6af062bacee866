import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lastLine, run } from '@jetbeat/infra/dev';
import { input } from '../load/input.ts';
import { type Competitor, LATENCY_RATE, type PeerRow, type Settings, type Size } from './competitor.ts';
import type { Installation } from './installation.ts';
import type { PeerServer } from './peer-server.ts';

/** What a program measured; which of them depends on the row. */
export interface Figures {
  readonly seconds?: number;
  readonly p50?: number;
  readonly p99?: number;
  /** Handlers that were started. */
  readonly started?: number;
}

const BOUND_MS = 180_000;

/**
 * One run of a row on a fresh server. The server is asked afterwards whether it counted what was meant to be.
 * @throws when the program fails, or a count is wrong
 */
export async function runProgram(params: {
  competitor: Competitor;
  row: PeerRow;
  settings: Settings;
  size: Size;
  server: PeerServer;
  installation: Installation;
  dir: string;
  signal: AbortSignal;
}): Promise<Figures> {
  const { competitor, row, settings, size, server, installation, signal } = params;
  const dir = join(params.dir, 'program');
  await mkdir(dir, { recursive: true });
  const { text } = input(0);
  const order = { url: server.url, dir, rate: LATENCY_RATE, text, settings, ...size };
  const done = await run({
    command: installation.command,
    args: [...installation.args, ...competitor.program, row, JSON.stringify(order)],
    env: { ...process.env, ...installation.env },
    timeoutMs: BOUND_MS,
    signal,
  });
  signal.throwIfAborted();
  await rm(dir, { recursive: true, force: true });
  if (done.code !== 0) throw new Error(`the program ended with code ${done.code}: ${lastLine(done)}`);
  const figures = JSON.parse(lastLine({ ...done, stderr: '' })) as Figures;
  const total = row === 'latency' ? size.warmup + size.jobs : size.jobs;
  const wrong = row === 'bulk' || figures.started === total ? [] : [`${figures.started} of ${total} started`];
  for (const { ask, wanted } of competitor.checks(row, size)) {
    const found = await server.count(ask);
    if (found !== wanted) wrong.push(`${ask}: ${found} instead of ${wanted}`);
  }
  if (wrong.length > 0) throw new Error(`wrong counts: ${wrong.join('; ')}`);
  return figures;
}
