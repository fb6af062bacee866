import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { peerTable } from './peer-table.ts';
import type { Machine, PeerResult, RowResult } from './result.ts';
import { processTable, resultTable, shown } from './table.ts';

/** What `.jetbeat/bench` holds. */
export interface Measured {
  readonly rows: readonly RowResult[];
  readonly peers: readonly PeerResult[];
}

/** Name of the file with the peers' results. */
export const PEERS_FILE = 'peers.json';

/** Reads all results that are there, the rows in the order of `names`. */
export async function readMeasured(dir: string, names: readonly string[]): Promise<Measured> {
  const files = new Set(await readdir(dir).catch(() => []));
  const read = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(dir, file), 'utf8'));
  const rows: RowResult[] = [];
  for (const name of names)
    if (files.has(`${name}.json`)) rows.push((await read(`${name}.json`)) as RowResult);
  return { rows, peers: files.has(PEERS_FILE) ? ((await read(PEERS_FILE)) as PeerResult[]) : [] };
}

/**
 * Puts the tables between their marks in a document; the text around them stays.
 * @throws an error when a mark is missing, or a result shows nothing about speed
 */
export async function writeDocument(file: string, measured: Measured): Promise<void> {
  const quick = measured.rows.filter((result) => result.quick).map(({ row }) => row);
  if (quick.length > 0)
    throw new Error(`measured with --quick or --seconds, so not for a document: ${quick.join(', ')}`);
  let text = await readFile(file, 'utf8');
  text = between(text, 'machine', machineLines(measured.rows));
  text = between(text, 'rows', resultTable(measured.rows));
  text = between(text, 'processes', processTable(measured.rows));
  text = between(text, 'peers', peerTable(measured));
  await writeFile(file, text);
}

/**
 * Replaces what stands between `<!-- name -->` and `<!-- end of name -->`.
 * @throws an error when one of them is missing
 */
export function between(text: string, name: string, content: string): string {
  const [first, last] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const from = text.indexOf(first);
  const to = text.indexOf(last, from);
  if (from < 0 || to < 0) throw new Error(`the document has no ${first} with ${last} after it`);
  return `${text.slice(0, from + first.length)}\n\n${content}\n\n${text.slice(to)}`;
}

/** Under which facts the rows were measured; one line where they are all alike. */
function machineLines(rows: readonly RowResult[]): string {
  const of = new Map<string, string[]>();
  for (const { row, machine, runs } of rows) {
    const line = `${machineText(machine)}, ${runs[0]?.at.slice(0, 10)}`;
    of.set(line, [...(of.get(line) ?? []), `\`${row}\``]);
  }
  const lines = [...of];
  return lines
    .map(([line, names]) => (lines.length === 1 ? line : `- ${line}: ${names.join(', ')}`))
    .join('\n');
}

function machineText(machine: Machine): string {
  const { cores, cpu, memoryBytes, platform, node, nats, postgres, commit } = machine;
  const memory = `${shown(memoryBytes / 1024 ** 3)} GiB`;
  const versions = `Node ${node}, nats-server ${nats}, PostgreSQL ${postgres}`;
  return `${cores} cores of ${cpu}, ${memory}, ${platform}; ${versions}${commit === undefined ? '' : `; commit ${commit}`}`;
}
