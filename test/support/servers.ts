import { appendFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { resolveNatsServer, startNats, startPostgres } from '@jetbeat/infra/dev';
import { migrate, openDatabase } from '@jetbeat/postgres';
import { ownPort } from './ports.ts';

/**
 * The servers of one test run: one nats-server and one PostgreSQL, shared by all files. A file keeps to itself by a
 * namespace of its own and a database of its own; whoever kills a server starts one of its own.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-test-'));
  const log = () => {};
  const bin = await resolveNatsServer({
    cacheDir: resolve(import.meta.dirname, '../../.jetbeat/cache'),
    log: console.error,
    bin: process.env['JETBEAT_NATS_SERVER_BIN'] ?? '',
  });
  const nats = await startNats({ bin, dir: join(dir, 'nats'), port: await ownPort(), log });
  const cluster = join(dir, 'cluster');
  await makeCluster(cluster);
  await cp(cluster, join(dir, 'postgres'), { recursive: true });
  const postgres = await startPostgres({ dir: join(dir, 'postgres'), port: await ownPort(), log });
  process.env['JETBEAT_TEST_NATS_URL'] = nats.url;
  process.env['JETBEAT_TEST_NATS_BIN'] = bin;
  process.env['JETBEAT_TEST_DATABASE_URL'] = postgres.url;
  process.env['JETBEAT_TEST_CLUSTER'] = cluster;
  return async () => {
    await Promise.all([nats.stop(), postgres.stop()]);
    await rm(dir, { recursive: true, force: true });
  };
}

/** Making a cluster and its schema costs ten times what copying them does, and every stack of a test needs them. */
async function makeCluster(dir: string): Promise<void> {
  const server = await startPostgres({ dir, log: () => {} });
  const db = await openDatabase({ url: server.url, applicationName: 'test' });
  try {
    await migrate(db);
  } finally {
    await db.close();
    await server.stop();
  }
  // Tests kill servers, and never the machine: what was written is there after it.
  await appendFile(join(dir, 'data', 'postgresql.conf'), '\nfsync = off\n');
}
