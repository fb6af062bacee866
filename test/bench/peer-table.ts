import type { PeerResult, RowResult } from './result.ts';
import { median, range } from './statistics.ts';
import { shown, table } from './table.ts';

/** Which of our figures a peer's row stands beside. */
const OURS = [
  { kind: 'bulk', row: 'enqueue-many', measure: 'rate' },
  { kind: 'drain', row: 'drain', measure: 'rate' },
  { kind: 'latency', row: 'latency-200', measure: 'p50' },
  { kind: 'latency', row: 'latency-200', measure: 'p99' },
] as const;

/** The peers beside our own rows, and under it their settings. A ratio above 1: Jetbeat is so many times better. */
export function peerTable(measured: { rows: readonly RowResult[]; peers: readonly PeerResult[] }): string {
  const { rows, peers } = measured;
  const lines = OURS.flatMap(({ kind, row, measure }) => {
    const ours = rows.find((result) => result.row === row)?.measures.find(({ name }) => name === measure);
    const theirs = peers.filter(
      (peer) => peer.row === kind && (kind !== 'latency' || peer.variant.endsWith(measure)),
    );
    if (theirs.length === 0) return [];
    const first = ours
      ? [[kind, '**Jetbeat**', `\`${row}\``, `**${shown(ours.median)}** ${ours.unit}`, '', '']]
      : [];
    return [...first, ...theirs.map((peer) => [kind, ...peerCells(peer, ours?.median)])];
  });
  const head = ['row', 'product', 'setting', 'median', 'range', 'Jetbeat against it'];
  return [table(head, lines), settingsOf(peers)].join('\n\n').trimEnd();
}

/** A line for each product and setting: what holds for all its rows, and what was chosen for each of them. */
function settingsOf(peers: readonly PeerResult[]): string {
  const of = new Map<string, Set<string>>();
  for (const { peer, variant, row, settings, chosen } of peers) {
    const name = `- **${peer}**, ${variant.replace(/, p\d+$/, '')}: ${settings}`;
    of.set(name, (of.get(name) ?? new Set()).add(`${row}: ${chosen || 'not measured'}`));
  }
  return [...of].map(([name, rows]) => [name, ...rows].join('; ')).join('\n');
}

function peerCells(peer: PeerResult, ours: number | undefined): string[] {
  if (peer.missing !== undefined) return [peer.peer, peer.variant, 'not measured', '', ''];
  const theirs = median(peer.runs);
  const better = peer.unit === 'ms' ? theirs / (ours ?? Number.NaN) : (ours ?? Number.NaN) / theirs;
  return [
    `${peer.peer} ${peer.version}`,
    peer.variant,
    `${shown(theirs)} ${peer.unit}`,
    range(peer.runs).map(shown).join(' – '),
    ours === undefined ? '' : better.toFixed(2),
  ];
}
