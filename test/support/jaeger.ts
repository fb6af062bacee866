import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort, tieToThisProcess } from '@jetbeat/infra/dev';
import { waitUntil } from './wait-until.ts';

/** Of the Go module; it is Jaeger 2.13. */
const VERSION = '1.76.0';
const run = promisify(execFile);

/** A span as Jaeger's API answers it; times in microseconds. */
export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly {
    readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM';
    readonly traceID: string;
    readonly spanID: string;
  }[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

/** A trace as Jaeger's API answers it. */
export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

/** A real Jaeger 2 that keeps its traces in memory. */
export interface Jaeger {
  /** Where it takes OTLP over HTTP. */
  readonly otlpUrl: string;
  /** Through `/api/traces`; undefined while it knows nothing of it. */
  trace(traceId: string): Promise<JaegerTrace | undefined>;
  /** The traces of a service, the newest first. */
  find(service: string, operation: string): Promise<JaegerTrace[]>;
  stop(): Promise<void>;
}

/**
 * Starts Jaeger; it is built with Go into the checkout's cache, some minutes once.
 * @param params.config a configuration of Jaeger 2 that takes its addresses from the environment; default: all is kept
 * @throws when Go or the sources cannot be had: then this test fails and says so
 */
export async function startJaeger(
  params: { config?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Jaeger> {
  const { config = resolve(import.meta.dirname, 'jaeger.yaml'), env = {} } = params;
  const bin = await jaegerBin();
  const [otlp, query, grpc, health] = await Promise.all(Array.from({ length: 4 }, () => freePort()));
  const local = (port: number | undefined) => `127.0.0.1:${port}`;
  const addresses = {
    OTLP_HTTP: local(otlp),
    QUERY_HTTP: local(query),
    QUERY_GRPC: local(grpc),
    HEALTH_HTTP: local(health),
  };
  const child = spawn(bin, ['--config', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...addresses, ...env },
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-8_192);
  });
  const exited = once(child, 'exit');
  if (child.pid !== undefined) tieToThisProcess(child.pid, exited);
  const get = async (path: string): Promise<JaegerTrace[]> => {
    const response = await fetch(`http://${local(query)}${path}`, { signal: AbortSignal.timeout(5_000) });
    if (!response.ok) return [];
    return ((await response.json()) as { data: JaegerTrace[] | null }).data ?? [];
  };
  const ready = async () =>
    (await fetch(`http://${local(health)}/status`, { signal: AbortSignal.timeout(1_000) })).ok;
  await waitUntil('Jaeger is ready', ready, { timeoutMs: 30_000 }).catch((cause: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`Jaeger does not start; it said:\n${said}`, { cause });
  });
  return {
    otlpUrl: `http://${local(otlp)}`,
    trace: async (traceId) => (await get(`/api/traces/${traceId}`))[0],
    find: (service, operation) =>
      get(`/api/traces?${new URLSearchParams({ service, operation, limit: '20', lookback: '1h' })}`),
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await exited;
      clearTimeout(timer);
    },
  };
}

async function jaegerBin(): Promise<string> {
  const dir = resolve(import.meta.dirname, '../../.jetbeat/cache/jaeger', VERSION);
  const bin = join(dir, 'jaeger');
  const built = await access(bin).then(
    () => true,
    () => false,
  );
  if (!built) await build(dir, bin);
  return bin;
}

/** Built where Go has unpacked it, so that Jaeger's own list of checksums vouches for all that it is made of. */
async function build(dir: string, bin: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' };
  try {
    const module = `github.com/jaegertracing/jaeger@v${VERSION}`;
    const { stdout } = await run('go', ['mod', 'download', '-json', module], {
      cwd: dir,
      env,
      timeout: 120_000,
    });
    const { Dir } = JSON.parse(stdout) as { Dir: string };
    await run('go', ['build', '-o', bin, './cmd/jaeger'], { cwd: Dir, env, timeout: 900_000 });
  } catch (cause) {
    throw new Error(`Jaeger ${VERSION} cannot be had: install Go 1.25 or newer, with a module proxy`, {
      cause,
    });
  }
}
