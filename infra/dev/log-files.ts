import { copyFile, mkdir, rename, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';

const maxBytes = 20 * 1024 * 1024;

/**
 * The logs of the children, one file each and one older file `.1` beside it. They write to it themselves (they may
 * outlive this process), so a file that has grown too large is copied and then cut to nothing under their hands, which
 * appending writers do not notice; lines of the moment between may be lost.
 */
export interface LogFiles {
  path(name: string): string;
  /** Its size in bytes, 0 when there is none. */
  size(name: string): Promise<number>;
  /** Puts the log of the run before aside. */
  rotate(name: string): Promise<void>;
  /** Cuts what has grown beyond the limit. */
  cap(): Promise<void>;
}

/** Opens the folder; the names are those given to `path`. */
export async function openLogFiles(params: { dir: string; limit?: number }): Promise<LogFiles> {
  const limit = params.limit ?? maxBytes;
  const names = new Set<string>();
  await mkdir(params.dir, { recursive: true });
  const path = (name: string) => {
    names.add(name);
    return join(params.dir, `${name}.log`);
  };
  const size = (name: string) =>
    stat(path(name)).then(
      (found) => found.size,
      () => 0,
    );
  return {
    path,
    size,
    async rotate(name) {
      const file = path(name);
      await rename(file, `${file}.1`).catch(() => {});
    },
    async cap() {
      for (const name of names) {
        const file = path(name);
        if ((await size(name)) <= limit) continue;
        await copyFile(file, `${file}.1`);
        await truncate(file);
      }
    },
  };
}
