import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeerParams } from '../result.ts';
import type { Competitor, PeerRow, Settings, Size } from './competitor.ts';
import { had, type Parts } from './parts.ts';
import type { PeerServer } from './peer-server.ts';
import { type Figures, runProgram } from './run-program.ts';
import { startDatabase } from './start-database.ts';
import { startRedis } from './start-redis.ts';

/** A row of a peer and all that it is run with. */
export type PeerRun = PeerParams & { competitor: Competitor; row: PeerRow; parts: Parts };

/**
 * One run on a server that is started for it on a new folder, and gone afterwards.
 * @throws when a part is missing, the program fails, or a count is wrong
 */
export async function runOnce(
  params: PeerRun & { settings: Settings; size: Size },
): Promise<{ figures: Figures; version: string }> {
  const { competitor, row, settings, size, parts, signal } = params;
  const installation = had(parts[competitor.runtime]);
  const dir = join(params.dir, 'peer');
  await rm(dir, { recursive: true, force: true });
  const server = await startServer({ competitor, redis: parts.redis, dir, signal });
  try {
    const figures = await runProgram({
      competitor,
      row,
      settings,
      size,
      server,
      installation,
      dir,
      signal,
    });
    const { packages } = competitor;
    const [own, ...others] = packages.map((name) => installation.versionOf(name));
    const beside = others.map((version, index) => `${packages[index + 1]} ${version}`);
    return { figures, version: `${own} (${[...beside, server.version].join(', ')})` };
  } finally {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

function startServer(params: {
  competitor: Competitor;
  redis: Parts['redis'];
  dir: string;
  signal: AbortSignal;
}): Promise<PeerServer> {
  const { competitor, dir, signal } = params;
  if (competitor.server === 'postgres') return startDatabase({ dir: join(dir, 'postgres'), signal });
  const redis = had(params.redis);
  return startRedis({ redis, dir: join(dir, 'redis'), args: competitor.serverArgs, signal });
}
