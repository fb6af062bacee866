import { startPostgres } from '@jetbeat/infra/dev';
import { openHistory } from '../history.ts';
import type { PeerServer } from './peer-server.ts';

/** Starts the same PostgreSQL that Jetbeat runs with, on a new cluster in `dir`. */
export async function startDatabase(params: { dir: string; signal: AbortSignal }): Promise<PeerServer> {
  const postgres = await startPostgres({ ...params, log() {} });
  try {
    const sql = openHistory(postgres.url);
    const [row] = await sql.rows<{ server_version: string }>('show server_version');
    return {
      url: postgres.url,
      version: `PostgreSQL ${row?.server_version ?? 'unknown'}`,
      count: async (ask) => Number(Object.values((await sql.rows(ask))[0] ?? {})[0] ?? Number.NaN),
      async stop() {
        await sql.close();
        await postgres.stop();
      },
    };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}
