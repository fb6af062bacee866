import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveNatsServer } from './find-nats-server.ts';
import { emptyFolder } from './fixtures/folder.ts';
import { debianMirrors } from './nats-from-debian.ts';
import { isNewEnough, parseNatsVersion, type Source } from './nats-version.ts';

async function fakeServer(path: string, version: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  await chmod(path, 0o755);
  return path;
}

const gives =
  (version: string): Source =>
  async ({ dir }) => ({ path: await fakeServer(join(dir, 'built'), version) });
const fails: Source = async () => ({ why: 'no network' });

async function setting(sources: (readonly [string, Source])[]) {
  const dir = await emptyFolder();
  const lines: string[] = [];
  const cacheDir = join(dir, 'cache');
  const params = {
    cacheDir,
    log: (line: string) => void lines.push(line),
    searchPath: join(dir, 'bin'),
    sources,
  };
  return { dir, lines, params, cacheDir };
}

test('a named server is taken as it is, and a named one that is too old is refused by name', async () => {
  const { dir, params } = await setting([]);
  const bin = await fakeServer(join(dir, 'own'), '2.14.0');
  await fakeServer(join(dir, 'bin', 'nats-server'), '2.99.0');
  expect(await resolveNatsServer({ ...params, bin })).toBe(bin);
  const old = await fakeServer(join(dir, 'old'), '2.12.7');
  await expect(resolveNatsServer({ ...params, bin: old })).rejects.toThrow(
    /JETBEAT_NATS_SERVER_BIN.*2\.12\.7.*2\.14/,
  );
});

test('the server of PATH comes next when it is new enough', async () => {
  const { dir, params, lines } = await setting([['a source', fails]]);
  const path = await fakeServer(join(dir, 'bin', 'nats-server'), '2.15.1');
  expect(await resolveNatsServer(params)).toBe(path);
  expect(lines).toEqual([]);
});

test('one that is too old is passed over with a reason, and sources are tried in order until one gives', async () => {
  const { dir, params, lines, cacheDir } = await setting([
    ['the first', fails],
    ['the second', gives('2.9.0')],
    ['the third', gives('2.15.1')],
    ['the fourth', fails],
  ]);
  await fakeServer(join(dir, 'bin', 'nats-server'), '2.10.3');
  const path = await resolveNatsServer(params);
  expect(path.startsWith(cacheDir)).toBe(true);
  const said = lines.join('\n');
  expect(said).toMatch(/PATH: .*is 2\.10\.3, older than 2\.14\.0/);
  expect(said).toMatch(/the first: no network/);
  expect(said).toMatch(/the second: .*is 2\.9\.0, older/);
  expect(said).toMatch(/2\.15\.1 from the third/);
  expect(said).not.toMatch(/fourth/);
  // Nothing of the failed tries is left beside the program.
  expect(await readdir(dirname(path))).toEqual(['nats-server']);
});

test('what was fetched once is found in the cache', async () => {
  const { params } = await setting([['a source', gives('2.15.1')]]);
  const path = await resolveNatsServer(params);
  expect(await resolveNatsServer({ ...params, sources: [['none', fails]] })).toBe(path);
});

test('when everything fails the error says what to install', async () => {
  const throws: Source = () => Promise.reject(new Error('broken pipe'));
  const { params, lines } = await setting([
    ['one', fails],
    ['two', throws],
  ]);
  await expect(resolveNatsServer(params)).rejects.toThrow(
    /Install it.*brew install nats-server.*JETBEAT_NATS_SERVER_BIN/,
  );
  expect(lines).toContain('nats-server: two: broken pipe');
});

test('versions are read and compared by number', () => {
  expect(parseNatsVersion('nats-server: v2.15.1\n')).toBe('2.15.1');
  expect(parseNatsVersion('nats-server: 2.14.2-dev')).toBe('2.14.2');
  expect(parseNatsVersion('bash: nats-server: not found')).toBeUndefined();
  expect(['2.14.0', '2.15.0', '3.0.0', '2.100.1'].map((v) => isNewEnough(v))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['2.13.9', '2.9.30', '1.99.99'].map((v) => isNewEnough(v))).toEqual([false, false, false]);
});

test('the mirrors are those of the main archive, each once', () => {
  const uris = [
    "'http://mirror.example/debian/dists/bookworm/InRelease' mirror.example_debian_dists_bookworm_InRelease 0 ",
    "'http://mirror.example/debian/dists/bookworm-updates/InRelease' x 0 ",
    "'http://mirror.example/debian-security/dists/bookworm-security/InRelease' y 0 ",
    "'https://packages.example/apt/dists/tools/InRelease' z 0 ",
    "'http://mirror.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' w 0 ",
  ].join('\n');
  expect(debianMirrors(uris)).toEqual(['http://mirror.example/debian']);
});
