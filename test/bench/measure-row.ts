import { fork } from 'node:child_process';
import { join } from 'node:path';
import { machineFacts } from './machine.ts';
import type { Count, RowResult, RunResult } from './result.ts';
import type { Row } from './row.ts';
import type { RunAnswer, RunOrder } from './run-row.ts';
import { median, range } from './statistics.ts';
import { shown } from './table.ts';

/** What measuring a row needs. */
export interface MeasureRowParams {
  readonly row: Row;
  readonly runs: number;
  readonly order: Omit<RunOrder, 'row'>;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/**
 * Runs a row so many times, each in a process of its own.
 * @throws an error when a run fails, or a server answers with another count than was asked for
 */
export async function measureRow(params: MeasureRowParams): Promise<RowResult> {
  const { row, runs, order, signal, log } = params;
  const results: RunResult[] = [];
  let postgres = 'unknown';
  for (let number = 1; number <= runs; number++) {
    signal.throwIfAborted();
    const answer = await runOnce({ order: { ...order, row: row.name }, signal });
    if (!answer.found) throw new Error(`${row.name}, run ${number}: ${answer.error}`);
    checkCounts(row.name, answer.found.counts);
    postgres = answer.postgres ?? postgres;
    results.push(answer.found);
    const figures = row.measures.map(
      ({ name, unit }) => `${name} ${shown(answer.found?.figures[name] ?? Number.NaN)} ${unit}`,
    );
    log(`  ${row.name} ${number}/${runs}: ${figures.join(', ')} (${shown(answer.found.seconds)} s)`);
  }
  return {
    row: row.name,
    what: row.what,
    quick: order.quick || order.seconds !== undefined,
    machine: await machineFacts({ natsBin: order.natsBin, postgres }),
    measures: row.measures.map((measure) => {
      const values = results.map(({ figures }) => figures[measure.name] ?? Number.NaN);
      return { ...measure, median: median(values), range: range(values) };
    }),
    runs: results,
  };
}

/** @throws an error naming every count that is not what was asked for */
export function checkCounts(row: string, counts: readonly Count[]): void {
  if (counts.length === 0) throw new Error(`${row}: no server was asked for a count`);
  const wrong = counts.filter(({ wanted, found }) => wanted !== found);
  if (wrong.length === 0) return;
  const words = wrong.map(({ what, wanted, found }) => `${what} is ${found}, not ${wanted}`);
  throw new Error(`${row}: the servers’ counts are not what was asked for: ${words.join('; ')}`);
}

function runOnce(params: { order: RunOrder; signal: AbortSignal }): Promise<RunAnswer> {
  const { order, signal } = params;
  return new Promise((done, failed) => {
    const child = fork(join(import.meta.dirname, 'run-row.ts'), [JSON.stringify(order)], { execArgv: [] });
    const onAbort = () => child.kill('SIGTERM');
    signal.addEventListener('abort', onAbort, { once: true });
    let answer: RunAnswer | undefined;
    child.once('message', (message) => {
      answer = message as RunAnswer;
    });
    child.once('error', failed);
    child.once('exit', (code, name) => {
      signal.removeEventListener('abort', onAbort);
      done(answer ?? { error: `the process of the run ended with ${name ?? code} and said nothing` });
    });
  });
}
