import { existsSync, renameSync, symlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, realpath, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runTask } from '@jetbeat/task/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Cleaned, cleanFolder } from './clean-folder.ts';
import { filesCleanup } from './files-cleanup.ts';
import { globs } from './glob.ts';
import { openRoot, type Reach } from './open-folder.ts';

let dir: string;
let root: string;

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'jetbeat-')));
  root = join(dir, 'root');
  await mkdir(root);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const OLD = new Date(Date.now() - 3_600_000);

/** Makes files of ten bytes, an hour old unless their name has `young` in it. */
async function files(...paths: string[]): Promise<void> {
  for (const path of paths) {
    const whole = join(dir, path);
    await mkdir(dirname(whole), { recursive: true });
    await writeFile(whole, '0123456789');
    if (!path.includes('young')) await utimes(whole, OLD, OLD);
  }
}

const clean = (input: object, roots = [root]) =>
  runTask(filesCleanup(roots), { folder: root, olderThan: '30m', ...input } as never);
const there = async () => (await readdir(dir, { recursive: true })).filter((path) => path !== 'root').sort();

test('old files go, young ones stay, and the result says what was done', async () => {
  await files('root/a.log', 'root/sub/deep/b.log', 'root/young.log', 'root/.hidden', 'other.log');
  const { outcome, result } = await clean({});
  expect(outcome).toBe('succeeded');
  expect(result).toEqual({
    deleted: 2,
    bytes: 20,
    kept: 2,
    folders: 0,
    sample: expect.arrayContaining(['a.log', 'sub/deep/b.log']),
  });
  expect(await there()).toEqual(['other.log', 'root/.hidden', 'root/sub', 'root/sub/deep', 'root/young.log']);
});

test('only what a pattern means goes', async () => {
  await files('root/a.log', 'root/a.txt', 'root/sub/b.log', 'root/sub/c.tmp');
  const { result } = await clean({ match: ['*.log', 'sub/*.tmp'] });
  expect(result).toMatchObject({ deleted: 2, kept: 2 });
  expect(await there()).toEqual(['root/a.txt', 'root/sub', 'root/sub/b.log']);
});

test('a dry run says the same and deletes nothing', async () => {
  await files('root/a', 'root/sub/b', 'root/young');
  await utimes(join(root, 'sub'), OLD, OLD);
  const before = await there();
  const { result } = await clean({ dryRun: true, emptyFolders: true });
  expect(result).toMatchObject({ deleted: 2, bytes: 20, kept: 1, folders: 1, dryRun: true });
  expect(await there()).toEqual(before);
  const { dryRun, ...planned } = result as Cleaned;
  expect(dryRun).toBe(true);
  const done = (await clean({ emptyFolders: true })).result as Cleaned;
  expect({ ...done, sample: [...done.sample].sort() }).toEqual({
    ...planned,
    sample: [...planned.sample].sort(),
  });
});

test('it ends at maxFiles, and says that there is more', async () => {
  await files(...Array.from({ length: 30 }, (_, index) => `root/${index}`));
  const first = (await clean({ maxFiles: 25 })).result as Cleaned;
  expect(first).toMatchObject({ deleted: 25, more: true });
  expect(first.sample).toHaveLength(20);
  expect((await clean({ maxFiles: 5 })).result).toEqual({
    deleted: 5,
    bytes: 50,
    kept: 0,
    folders: 0,
    sample: expect.any(Array),
  });
});

test('empty folders go when they are asked for, are as old, and only then', async () => {
  await files('root/a/b/c', 'root/new/d', 'root/full/young');
  for (const name of ['a/b', 'a', 'full']) await utimes(join(root, name), OLD, OLD);
  expect((await clean({ emptyFolders: true })).result).toMatchObject({ deleted: 2, folders: 2 });
  expect(await there()).toEqual(['root/full', 'root/full/young', 'root/new']);
  await utimes(root, OLD, OLD);
  await rm(join(root, 'full'), { recursive: true });
  await utimes(join(root, 'new'), OLD, OLD);
  expect((await clean({ emptyFolders: true })).result).toMatchObject({ folders: 1 });
  expect(existsSync(root)).toBe(true);
});

test('links are neither followed nor deleted', async () => {
  await files('outside/a', 'root/b');
  await symlink(join(dir, 'outside'), join(root, 'to-folder'));
  await symlink(join(dir, 'outside/a'), join(root, 'to-file'));
  await symlink('nowhere', join(root, 'to-nothing'));
  const { result } = await clean({ olderThan: '0s', emptyFolders: true, match: ['**', 'to-folder/**'] });
  expect(result).toMatchObject({ deleted: 1, kept: 3 });
  expect(existsSync(join(dir, 'outside/a'))).toBe(true);
  expect(await readdir(root)).toHaveLength(3);
});

test('a folder behind a link is none, a root behind one is what the configuration says it is', async () => {
  await files('outside/sub/a', 'root/b');
  await symlink(join(dir, 'outside'), join(root, 'link'));
  for (const folder of [join(root, 'link'), join(root, 'link/sub')])
    expect(await clean({ folder })).toMatchObject({ outcome: 'rejected', error: { code: 'folder_changed' } });
  expect(existsSync(join(dir, 'outside/sub/a'))).toBe(true);
  await symlink(root, join(dir, 'way'));
  expect((await clean({ folder: join(dir, 'way') }, [join(dir, 'way')])).result).toMatchObject({
    deleted: 1,
  });
});

test.each([
  [(root: string) => `${root}/../outside`, 'folder_not_allowed'],
  [(root: string) => `${root}/sub/../../outside`, 'folder_not_allowed'],
  [(root: string) => `${root}-not`, 'folder_not_allowed'],
  [(root: string) => dirname(root), 'folder_not_allowed'],
  [() => '/', 'folder_not_allowed'],
  [(root: string) => `${root}/a\0b`, 'invalid_folder'],
  [() => 'root', 'invalid_input'],
])('what is in no root is refused: %s', async (of, code) => {
  await files('outside/a', 'root-not/a', 'root/sub/a');
  expect(await clean({ folder: of(root) })).toMatchObject({ outcome: 'rejected', error: { code } });
  expect(await there()).toContain('outside/a');
});

test('without roots the error names the setting', async () => {
  const run = await clean({}, []);
  expect(run).toMatchObject({ outcome: 'rejected', error: { code: 'not_configured' } });
  expect(run.error?.message).toContain('files.roots');
});

test('a folder that is not there may come: tried again', async () => {
  const run = await clean({ folder: join(root, 'later') });
  expect(run).toMatchObject({ outcome: 'failed', error: { code: 'files_failed' } });
  expect(run.error?.message).toContain('ENOENT');
});

test('the end of the attempt ends it', async () => {
  await files('root/a');
  const run = await runTask(
    filesCleanup([root]),
    { folder: root, olderThan: '0s' },
    { signal: AbortSignal.abort(new Error('enough')) },
  );
  expect(run.outcome).toBe('failed');
  expect(await there()).toEqual(['root/a']);
});

describe.each<Reach>(process.platform === 'linux' ? ['descriptor', 'path'] : ['path'])('by %s', (reach) => {
  const sweep = async (match: (path: string) => boolean) => {
    const folder = await openRoot(root, reach);
    try {
      return await cleanFolder({
        folder,
        shown: root,
        match,
        before: Date.now() + 1_000,
        dryRun: false,
        maxFiles: 100,
        emptyFolders: true,
        signal: new AbortController().signal,
      });
    } finally {
      await folder.close();
    }
  };

  test('it cleans', async () => {
    await files('root/a', 'root/sub/deep/b');
    expect(await sweep(globs(['**']))).toMatchObject({ deleted: 2, folders: 2, kept: 0 });
    expect(await there()).toEqual([]);
  });

  test('a folder that is swapped for a link while it is open leads nobody outside', async () => {
    await files('root/sub/a', 'outside/a');
    const parent = await openRoot(root, reach);
    const folder = await parent.open('sub', 'sub');
    await rename(join(root, 'sub'), join(dir, 'moved'));
    await symlink(join(dir, 'outside'), join(root, 'sub'));
    const cleaning = cleanFolder({
      folder,
      shown: 'sub',
      match: () => true,
      before: Date.now() + 1_000,
      dryRun: false,
      maxFiles: 100,
      emptyFolders: false,
      signal: new AbortController().signal,
    });
    if (reach === 'path') await expect(cleaning).rejects.toMatchObject({ code: 'folder_changed' });
    else expect(await cleaning).toMatchObject({ deleted: 1 });
    expect(existsSync(join(dir, 'outside/a'))).toBe(true);
    await expect(parent.open('sub', 'sub')).rejects.toMatchObject({ code: 'folder_changed' });
    await folder.close();
    await parent.close();
  });

  test('a folder that becomes a link between two of its files is left', async () => {
    await files('root/sub/a', 'root/sub/b', 'outside/a', 'outside/b');
    let isSwapped = false;
    await sweep(() => {
      if (isSwapped) return true;
      isSwapped = true;
      renameSync(join(root, 'sub'), join(dir, 'moved'));
      symlinkSync(join(dir, 'outside'), join(root, 'sub'));
      return true;
    });
    expect(isSwapped).toBe(true);
    expect((await readdir(join(dir, 'outside'))).sort()).toEqual(['a', 'b']);
  });
});

test('what is too deep is told, and the rest is cleaned', async () => {
  await files(`root/${'d/'.repeat(70)}a`, 'root/b');
  const { result } = await clean({});
  expect(result).toMatchObject({ deleted: 1, problems: [expect.stringContaining('deeper than 64 folders')] });
});
