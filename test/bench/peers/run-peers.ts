import type { PeerParams, PeerResult } from '../result.ts';
import type { PeerRow } from './competitor.ts';
import { competitors } from './competitors.ts';
import { measurePeer } from './measure-peer.ts';
import { findParts } from './parts.ts';

const rows: readonly PeerRow[] = ['bulk', 'drain', 'latency'];

/**
 * Runs the peers one after another, each run on a fresh server in a new folder, and returns their figures. A row that
 * could not be measured has no runs and says in `missing` why; what is there is measured all the same.
 * @throws when the signal is aborted
 */
export async function runPeers(params: PeerParams): Promise<PeerResult[]> {
  const parts = await findParts(params);
  const results: PeerResult[] = [];
  for (const competitor of competitors) {
    for (const row of rows) {
      params.signal.throwIfAborted();
      results.push(...(await measurePeer({ ...params, competitor, row, parts })));
    }
  }
  return results;
}
