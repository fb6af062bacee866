import { lstat, opendir, rmdir, unlink } from 'node:fs/promises';
import type { PathMatch } from './glob.ts';
import { FolderChangedError, type OpenFolder } from './open-folder.ts';

/** What `files.cleanup` returns; of a dry run what it would have done. */
export interface Cleaned {
  readonly deleted: number;
  readonly bytes: number;
  /** Files that were looked at and stay: too young, not meant, links, what is no file, what could not be deleted. */
  readonly kept: number;
  /** Empty folders that were deleted. */
  readonly folders: number;
  /** Some of the paths, relative to the folder. */
  readonly sample: readonly string[];
  /** Some of what went wrong, by path; the rest was cleaned all the same. */
  readonly problems?: readonly string[];
  /** It ended at `maxFiles`: there may be more. */
  readonly more?: true;
  readonly dryRun?: true;
}

/** What is to be cleaned. */
export interface CleanFolderParams {
  readonly folder: OpenFolder;
  /** Its path, for messages. */
  readonly shown: string;
  readonly match: PathMatch;
  /** Unix milliseconds: what was written later stays. */
  readonly before: number;
  readonly dryRun: boolean;
  readonly maxFiles: number;
  readonly emptyFolders: boolean;
  readonly signal: AbortSignal;
}

const SAMPLE = 20;
/** Each level holds a descriptor. */
const MAX_DEPTH = 64;

/** Deletes what is old in a folder and below it. Every folder on the way is held open; links are neither followed nor deleted. */
export async function cleanFolder(params: CleanFolderParams): Promise<Cleaned> {
  const sweep = new Sweep(params);
  await sweep.folder(params.folder, '', 0);
  return sweep.result();
}

class Sweep {
  readonly #params: CleanFolderParams;
  readonly #sample: string[] = [];
  readonly #problems: string[] = [];
  #deleted = 0;
  #bytes = 0;
  #kept = 0;
  #folders = 0;
  #isFull = false;

  constructor(params: CleanFolderParams) {
    this.#params = params;
  }

  result(): Cleaned {
    return {
      deleted: this.#deleted,
      bytes: this.#bytes,
      kept: this.#kept,
      folders: this.#folders,
      sample: this.#sample,
      ...(this.#problems.length === 0 ? {} : { problems: this.#problems }),
      ...(this.#isFull ? { more: true } : {}),
      ...(this.#params.dryRun ? { dryRun: true } : {}),
    };
  }

  /** Cleans one folder, entry by entry; answers whether nothing is left in it. */
  async folder(folder: OpenFolder, path: string, depth: number): Promise<boolean> {
    const { signal } = this.#params;
    let isEmpty = true;
    await folder.check();
    for await (const { name } of await opendir(folder.path())) {
      signal.throwIfAborted();
      if (this.#isFull) return false;
      const inner = path === '' ? name : `${path}/${name}`;
      const isGone = await this.#entry(folder, name, inner, depth).catch((error: unknown) => {
        // What others delete meanwhile is gone as well.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
        signal.throwIfAborted();
        this.#note(inner, error);
        return false;
      });
      if (!isGone) isEmpty = false;
    }
    return isEmpty;
  }

  async #entry(folder: OpenFolder, name: string, path: string, depth: number): Promise<boolean> {
    const { match, before, dryRun, maxFiles } = this.#params;
    await folder.check();
    const found = await lstat(folder.path(name));
    if (found.isDirectory()) return this.#below(folder, name, path, depth, found.mtimeMs);
    if (!found.isFile() || found.mtimeMs > before || !match(path)) {
      this.#kept++;
      return false;
    }
    if (this.#deleted === maxFiles) {
      this.#isFull = true;
      return false;
    }
    if (!dryRun) {
      await folder.check();
      await unlink(folder.path(name));
    }
    this.#deleted++;
    this.#bytes += found.size;
    if (this.#sample.length < SAMPLE) this.#sample.push(path);
    return true;
  }

  /** `writtenAt` is from before the cleaning, which itself writes the folder. */
  async #below(parent: OpenFolder, name: string, path: string, depth: number, writtenAt: number) {
    const { shown, emptyFolders, before, dryRun } = this.#params;
    if (depth + 1 === MAX_DEPTH) {
      this.#note(path, new Error(`it is deeper than ${MAX_DEPTH} folders`));
      return false;
    }
    const folder = await parent.open(name, `${shown}/${path}`);
    let isEmpty: boolean;
    try {
      isEmpty = await this.folder(folder, path, depth + 1);
    } finally {
      await folder.close();
    }
    if (!emptyFolders || !isEmpty || writtenAt > before) return false;
    if (!dryRun) {
      await parent.check();
      await rmdir(parent.path(name));
    }
    this.#folders++;
    return true;
  }

  #note(path: string, error: unknown): void {
    if (!(error instanceof FolderChangedError)) this.#kept++;
    const { code, message } = error as NodeJS.ErrnoException;
    if (this.#problems.length < SAMPLE) this.#problems.push(`${path}: ${code ?? message}`);
  }
}
