import { constants } from 'node:fs';
import { access, chmod, copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fromDebian } from './nats-from-debian.ts';
import { fromGo } from './nats-from-go.ts';
import { fromRelease } from './nats-from-release.ts';
import { type Found, natsFloor, natsVersion, type Source, tryCandidate } from './nats-version.ts';
import type { Log } from './run.ts';
import { StartError } from './start-error.ts';

/** Where to look, and what to say on the way. The environment is given by the caller, who read it once. */
export interface ResolveNatsServerParams {
  /** Fetched programs are kept under `<cacheDir>/nats-server`. */
  cacheDir: string;
  log: Log;
  /** `JETBEAT_NATS_SERVER_BIN`: when set, nothing else is looked at. */
  bin?: string;
  /** `PATH`. */
  searchPath?: string;
  /** Cuts a download or a build off. */
  signal?: AbortSignal;
  /** By name, in order; for tests. */
  sources?: readonly (readonly [string, Source])[];
}

const fetchers: readonly (readonly [string, Source])[] = [
  ['the official release', fromRelease],
  ['go install', fromGo],
  ['the Debian package', fromDebian],
];

/**
 * The path of a nats-server that is new enough: the named one, that of `PATH`, the cache, and then what can be fetched.
 * Each step that fails says why in a line. Throws, with what to install, when all fail.
 */
export async function resolveNatsServer(params: ResolveNatsServerParams): Promise<string> {
  const { log } = params;
  if (params.bin !== undefined && params.bin !== '') {
    const found = await tryCandidate(params.bin);
    if ('path' in found) return found.path;
    throw new StartError(
      `JETBEAT_NATS_SERVER_BIN: ${found.why}; unset it, or point it at nats-server ${natsFloor} or newer`,
    );
  }
  const cached = join(params.cacheDir, 'nats-server', `${process.platform}-${process.arch}`, 'nats-server');
  const there: [string, () => Promise<Found | undefined>][] = [
    ['PATH', () => onPath(params.searchPath ?? process.env['PATH'] ?? '')],
    ['the cache', async () => ((await isProgram(cached)) ? tryCandidate(cached) : undefined)],
  ];
  for (const [place, look] of there) {
    const found = await look();
    if (found !== undefined && 'path' in found) return found.path;
    if (found !== undefined) log(`nats-server: ${place}: ${found.why}`);
  }
  for (const [name, source] of params.sources ?? fetchers) {
    log(`nats-server: trying ${name} …`);
    params.signal?.throwIfAborted();
    const result = await fetchInto({ source, cached, log, signal: params.signal });
    if ('path' in result) {
      log(`nats-server: ${result.version} from ${name}`);
      return result.path;
    }
    log(`nats-server: ${name}: ${result.why}`);
  }
  throw new StartError(
    `no nats-server ${natsFloor} or newer was found and none could be fetched (see the lines above). Install it ` +
      `(macOS: brew install nats-server; any: go install github.com/nats-io/nats-server/v2@v${natsVersion}; or from ` +
      'https://github.com/nats-io/nats-server/releases), then put it on PATH or set JETBEAT_NATS_SERVER_BIN to its path',
  );
}

async function fetchInto(params: {
  source: Source;
  cached: string;
  log: Log;
  signal: AbortSignal | undefined;
}): Promise<Found> {
  const folder = join(params.cached, '..');
  await mkdir(folder, { recursive: true });
  const dir = await mkdtemp(join(folder, 'fetch-'));
  try {
    const result = await params.source({ dir, log: params.log, signal: params.signal });
    if ('why' in result) return result;
    const found = await tryCandidate(result.path);
    if ('why' in found) return found;
    // Under its final name only when it is whole and has run, so that a killed start leaves no half program.
    const draft = `${params.cached}.${process.pid}`;
    await copyFile(result.path, draft);
    await chmod(draft, 0o755);
    await rename(draft, params.cached);
    return { path: params.cached, version: found.version };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function onPath(searchPath: string): Promise<Found | undefined> {
  let refused: Found | undefined;
  for (const folder of searchPath.split(delimiter)) {
    const path = join(folder, 'nats-server');
    if (folder === '' || !(await isProgram(path))) continue;
    const found = await tryCandidate(path);
    if ('path' in found) return found;
    refused ??= found;
  }
  return refused;
}

function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
