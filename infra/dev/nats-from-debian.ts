import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from './exists.ts';
import type { Source } from './nats-version.ts';
import { lastLine, type RunResult, run } from './run.ts';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * The package of Debian's `testing` suite, through apt, without touching the system: the sources, the lists, the cache
 * and the unpacked files all lie in `dir`, and nothing is installed. Root is not needed.
 */
export const fromDebian: Source = async ({ dir, signal }) => {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  if (!/^ID="?debian"?$/m.test(release)) return { why: 'this is not Debian' };
  const machine = await run({ command: 'apt-get', args: ['--print-uris', 'update'], timeoutMs: 30_000 });
  const mirrors = debianMirrors(machine.stdout);
  if (mirrors.length === 0) return { why: `apt names no Debian mirror (${lastLine(machine)})` };
  if (!(await exists(keyring))) return { why: `${keyring} is missing` };
  for (const part of ['lists/partial', 'cache/archives/partial', 'state', 'parts', 'root']) {
    await mkdir(join(dir, part), { recursive: true });
  }
  const sources = join(dir, 'sources.list');
  await writeFile(
    sources,
    mirrors.map((mirror) => `deb [signed-by=${keyring}] ${mirror} testing main\n`).join(''),
  );
  const options = aptOptions(dir, sources);
  const apt = (...args: string[]): Promise<RunResult> =>
    run({ command: 'apt-get', args: [...options, ...args], cwd: dir, timeoutMs: 180_000, signal });
  const update = await apt('update');
  if (update.code !== 0) return { why: `apt-get update: ${lastLine(update)}` };
  const fetched = await apt('download', 'nats-server');
  if (fetched.code !== 0) return { why: `apt-get download nats-server: ${lastLine(fetched)}` };
  const archive = (await readdir(dir)).find((name) => name.endsWith('.deb'));
  if (archive === undefined) return { why: 'apt-get downloaded no package' };
  const unpacked = await run({
    command: 'dpkg-deb',
    args: ['-x', join(dir, archive), join(dir, 'root')],
    timeoutMs: 60_000,
  });
  if (unpacked.code !== 0) return { why: `dpkg-deb: ${lastLine(unpacked)}` };
  return { path: join(dir, 'root', 'usr', 'sbin', 'nats-server') };
};

/**
 * The mirrors this machine uses, out of `apt-get --print-uris update`: what stands before `/dists/<suite>/` of Debian's
 * own main archive. Security and third-party archives have no `testing` suite with this package.
 */
export function debianMirrors(uris: string): string[] {
  const found = new Set<string>();
  for (const match of uris.matchAll(/^'([^']+)\/dists\/([^/']+)\/(?:In)?Release'/gm)) {
    const [, mirror = '', suite = ''] = match;
    if (/\/debian\/?$/.test(mirror) && !suite.includes('security')) found.add(mirror);
  }
  return [...found];
}

function aptOptions(dir: string, sources: string): string[] {
  const settings = {
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': join(dir, 'parts'),
    'Dir::State': join(dir, 'state'),
    'Dir::State::lists': join(dir, 'lists'),
    'Dir::State::status': '/var/lib/dpkg/status',
    'Dir::Cache': join(dir, 'cache'),
    'Dir::Cache::archives': join(dir, 'cache/archives'),
    // As root apt would fetch as another user, who cannot enter a folder of mode 0700.
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}
