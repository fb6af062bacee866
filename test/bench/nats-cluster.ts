import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startServerProcess } from '@jetbeat/infra/dev';
import { connect } from '@nats-io/transport-node';
import { waitUntil } from '../support/wait-until.ts';

/** A running nats-server. */
export interface Node {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const STOP_MS = 3_000;

/** Starts three nats-servers that make one cluster; resolves when JetStream has a leader. */
export async function startCluster(params: { bin: string; dir: string }): Promise<Node[]> {
  const { bin, dir } = params;
  const names = ['n1', 'n2', 'n3'];
  const ports = await Promise.all(names.map(() => freePort()));
  const routes = await Promise.all(names.map(() => freePort()));
  const nodes: Node[] = [];
  for (const [index, name] of names.entries()) {
    const home = join(dir, name);
    await mkdir(home, { recursive: true, mode: 0o700 });
    const file = join(home, 'nats-server.conf');
    await writeFile(file, configuration({ name, home, port: ports[index], route: routes[index], routes }));
    const node = await startServerProcess({
      command: bin,
      args: ['--config', file],
      cwd: home,
      outputFile: join(home, 'nats-server.out'),
      stopSignals: [{ signal: 'SIGTERM', waitMs: STOP_MS }],
    });
    nodes.push({ ...node, url: `nats://127.0.0.1:${ports[index]}` });
  }
  await waitUntil('JetStream has a leader', () => hasLeader(nodes[0]?.url ?? ''), { timeoutMs: 30_000 });
  return nodes;
}

/** As the embedded server's, with a cluster. */
function configuration(p: {
  name: string;
  home: string;
  port: number | undefined;
  route: number | undefined;
  routes: readonly number[];
}): string {
  return [
    `server_name: ${p.name}`,
    `listen: "127.0.0.1:${p.port}"`,
    `log_file: ${JSON.stringify(join(p.home, 'nats-server.log'))}`,
    'jetstream {',
    `  store_dir: ${JSON.stringify(join(p.home, 'store'))}`,
    '  sync_interval: "100ms"',
    `  max_file_store: ${8 * 1024 ** 3}`,
    `  max_memory_store: ${256 * 1024 ** 2}`,
    '}',
    'cluster {',
    '  name: bench',
    `  listen: "127.0.0.1:${p.route}"`,
    `  routes: [${p.routes.map((route) => `"nats://127.0.0.1:${route}"`).join(', ')}]`,
    '}',
    '',
  ].join('\n');
}

async function hasLeader(url: string): Promise<boolean> {
  const connection = await connect({ servers: url, reconnect: false, timeout: 2_000 });
  try {
    const answer = await connection.request('$JS.API.INFO', '', { timeout: 2_000 });
    const { error } = answer.json<{ error?: unknown }>();
    return error === undefined;
  } finally {
    await connection.close();
  }
}
