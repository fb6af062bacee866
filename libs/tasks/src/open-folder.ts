import { existsSync } from 'node:fs';
import { constants, type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { JetbeatError } from '@jetbeat/core';

/** A folder that is held open, so that what is done in it happens in this folder and in no other. */
export interface OpenFolder {
  /** A path of what is in it, or of itself: good for one call, right after `check`. */
  path(name?: string): string;
  /** @throws FolderChangedError when the way to the folder has become another */
  check(): Promise<void>;
  /**
   * Opens a folder in it.
   * @param shown its path, for messages
   * @throws FolderChangedError when it is a link
   */
  open(name: string, shown: string): Promise<OpenFolder>;
  close(): Promise<void>;
}

/** How a folder is reached: `descriptor` where the system can, else `path`. */
export type Reach = 'descriptor' | 'path';

/** A folder was a link, or has been put in another's place meanwhile. */
export class FolderChangedError extends JetbeatError {
  constructor(path: string) {
    super('folder_changed', `${path} is a link, or was replaced while it was cleaned: it is left alone`);
  }
}

const FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/**
 * Linux leads from a descriptor into its folder, wherever that has gone (proc_pid_fd(5)): what is done through it is what
 * `openat` and `unlinkat` do, and nobody can put a link in between.
 */
const DESCRIPTORS = '/proc/self/fd';

/** Opens the folder of an absolute path, links on the way resolved: for a root, which the configuration vouches for. */
export async function openRoot(
  path: string,
  reach: Reach = existsSync(DESCRIPTORS) ? 'descriptor' : 'path',
): Promise<OpenFolder> {
  const real = await realpath(path);
  return openFolder(real, real, reach);
}

async function openFolder(path: string, shown: string, reach: Reach): Promise<OpenFolder> {
  const handle = await open(path, FLAGS);
  const base = reach === 'descriptor' ? `${DESCRIPTORS}/${handle.fd}` : path;
  const check = reach === 'descriptor' ? async () => {} : () => checkPath(handle, path, shown);
  const folder: OpenFolder = {
    path: (name) => (name === undefined ? base : join(base, name)),
    check,
    async open(name, inner) {
      await check();
      const opened = await openFolder(folder.path(name), inner, reach).catch((error: unknown) => {
        const { code } = error as NodeJS.ErrnoException;
        // ENOTDIR is what Linux says of a link here.
        throw code === 'ELOOP' || code === 'ENOTDIR' ? new FolderChangedError(inner) : error;
      });
      return opened;
    },
    close: () => handle.close(),
  };
  return folder;
}

/** The way must still lead to the open folder, without a link. What changes between this and the next call is not seen. */
async function checkPath(handle: FileHandle, path: string, shown: string): Promise<void> {
  const [opened, there, real] = await Promise.all([handle.stat(), lstat(path), realpath(path)]);
  if (opened.dev !== there.dev || opened.ino !== there.ino || real !== path)
    throw new FolderChangedError(shown);
}
