import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lastLine, type RunResult, run } from '@jetbeat/infra/dev';

/** A way to come by an unpacked redis-server in `dir`, or why it is none. */
export type RedisSource = (params: {
  dir: string;
  signal: AbortSignal;
}) => Promise<{ root: string } | { why: string }>;

/**
 * The package of the machine's own Debian release with the libraries that are missing here, fetched by apt and unpacked
 * into `dir/root`: nothing is installed, lists and archives lie in `dir`, and root is not needed.
 */
export const redisFromDebian: RedisSource = async ({ dir, signal }) => {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  if (!/^ID(_LIKE)?="?.*debian/m.test(release)) return { why: 'this is not Debian' };
  await rm(dir, { recursive: true, force: true });
  const archives = join(dir, 'apt/archives');
  await mkdir(join(archives, 'partial'), { recursive: true });
  await mkdir(join(dir, 'apt/lists/partial'), { recursive: true });
  const apt = (...args: string[]): Promise<RunResult> =>
    run({ command: 'apt-get', args: [...aptOptions(dir), ...args], cwd: dir, timeoutMs: 180_000, signal });
  // Its exit code tells little: hooks of the system may fail without root. What counts is what can be fetched.
  await apt('update');
  const fetched = await apt('--yes', '--no-install-recommends', '--download-only', 'install', 'redis-server');
  const packages = (await readdir(archives)).filter((name) => name.endsWith('.deb'));
  if (fetched.code !== 0 || packages.length === 0) return { why: `apt-get: ${lastLine(fetched)}` };
  const draft = join(dir, 'draft');
  for (const name of packages) {
    const args = ['-x', join(archives, name), draft];
    const done = await run({ command: 'dpkg-deb', args, timeoutMs: 60_000, signal });
    if (done.code !== 0) return { why: `dpkg-deb: ${lastLine(done)}` };
  }
  // Under its final name only when it is whole.
  const root = join(dir, 'root');
  await rename(draft, root);
  await rm(join(dir, 'apt'), { recursive: true, force: true });
  return { root };
};

/** The system's sources and its list of installed packages, with lists and archives of our own. */
function aptOptions(dir: string): string[] {
  const settings = {
    'Dir::State::lists': join(dir, 'apt/lists'),
    'Dir::Cache': join(dir, 'apt'),
    'Dir::Cache::archives': join(dir, 'apt/archives'),
    // The lock is the system's, and nothing of the system is changed.
    'Debug::NoLocking': 'true',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}
