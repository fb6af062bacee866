import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { resolveNatsServer, startNats, startPostgres } from '@jetbeat/infra/dev';

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
  const nats = await startNats({ bin, dir: join(dir, 'nats'), log });
  // Making a cluster costs ten times what copying one does.
  const cluster = join(dir, 'cluster');
  await (await startPostgres({ dir: cluster, log })).stop();
  await cp(cluster, join(dir, 'postgres'), { recursive: true });
  const postgres = await startPostgres({ dir: join(dir, 'postgres'), log });
  process.env['JETBEAT_TEST_NATS_URL'] = nats.url;
  process.env['JETBEAT_TEST_NATS_BIN'] = bin;
  process.env['JETBEAT_TEST_DATABASE_URL'] = postgres.url;
  process.env['JETBEAT_TEST_CLUSTER'] = cluster;
  return async () => {
    await Promise.all([nats.stop(), postgres.stop()]);
    await rm(dir, { recursive: true, force: true });
  };
}
