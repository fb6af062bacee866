import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A copy of the repository in which files may be broken. */
export interface TreeCopy {
  readonly dir: string;
  /** Removes it. */
  remove(): Promise<void>;
}

/**
 * Copies what git knows or would know, as it stands now. The dependencies are linked, but our own packages lead into
 * the copy.
 */
export async function copyTree(root: string): Promise<TreeCopy> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'jetbeat-mutants-')));
  const remove = () => rm(dir, { recursive: true, force: true });
  try {
    for (const file of await files(root)) {
      await mkdir(dirname(join(dir, file)), { recursive: true });
      await cp(join(root, file), join(dir, file));
    }
    await linkModules(root, dir);
    await mkdir(join(dir, '.jetbeat'), { recursive: true });
    // The servers that were fetched before.
    await symlink(join(root, '.jetbeat', 'cache'), join(dir, '.jetbeat', 'cache'));
    return { dir, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function files(root: string): Promise<string[]> {
  const list = async (...args: string[]) => {
    const options = { cwd: root, maxBuffer: 64 * 1024 ** 2 };
    const { stdout } = await run('git', ['ls-files', '-z', ...args], options);
    return stdout.split('\0').filter((file) => file !== '');
  };
  const [there, gone] = await Promise.all([
    list('--cached', '--others', '--exclude-standard'),
    list('--deleted'),
  ]);
  return [...new Set(there)].filter((file) => !gone.includes(file));
}

async function linkModules(root: string, dir: string): Promise<void> {
  const [from, to] = [join(root, 'node_modules'), join(dir, 'node_modules')];
  await mkdir(join(to, '@jetbeat'), { recursive: true });
  for (const name of await readdir(from)) {
    // What is kept between runs belongs to one tree.
    if (name === '@jetbeat' || name === '.cache' || name.startsWith('.vite')) continue;
    await symlink(join(from, name), join(to, name));
  }
  for (const name of await readdir(join(from, '@jetbeat'))) {
    const target = relative(root, await realpath(join(from, '@jetbeat', name)));
    await symlink(join(dir, target), join(to, '@jetbeat', name));
  }
}
