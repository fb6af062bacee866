import { isAbsolute, relative, resolve, sep } from 'node:path';
import { DURATION_PATTERN, JetbeatError, parseDuration } from '@jetbeat/core';
import { type Context, defineTask, Reject, systemClock } from '@jetbeat/task';
import Type, { type Static } from 'typebox';
import { type Cleaned, cleanFolder } from './clean-folder.ts';
import { globs } from './glob.ts';
import { notConfigured } from './not-configured.ts';
import { FolderChangedError, type OpenFolder, openRoot } from './open-folder.ts';

const Pattern = Type.String({ minLength: 1, maxLength: 1_024 });

/** The input of `files.cleanup`. */
const Input = Type.Object(
  {
    folder: Type.String({
      pattern: '^/',
      maxLength: 4_096,
      description: 'absolute; one of files.roots in jetbeat.yaml, or below one',
    }),
    match: Type.Optional(
      Type.Union([Pattern, Type.Array(Pattern, { minItems: 1, maxItems: 100 })], {
        description: 'path from folder on; * ? within a name, ** for any folders; else every file (**)',
      }),
    ),
    olderThan: Type.String({ pattern: DURATION_PATTERN, description: 'since the file was last written' }),
    dryRun: Type.Optional(Type.Boolean()),
    maxFiles: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    emptyFolders: Type.Optional(
      Type.Boolean({ description: 'also delete folders that are empty then and as old' }),
    ),
  },
  { additionalProperties: false },
);
type Input = Static<typeof Input>;

/** A folder could not be read or a file not be deleted; the next attempt may do better. */
class FilesError extends JetbeatError {}

const DEFAULT_MAX_FILES = 100_000;

/** `files.cleanup`: deletes old files in folders that the configuration allows, never through links. */
export function filesCleanup(roots: readonly string[]) {
  return defineTask({
    name: 'files.cleanup',
    input: Input,
    run: (input, ctx): Promise<Cleaned> => perform(roots, input, ctx),
  });
}

async function perform(roots: readonly string[], input: Input, ctx: Context): Promise<Cleaned> {
  const folders: OpenFolder[] = [];
  try {
    const { root, names } = placeOf(roots, input.folder);
    let folder = await openRoot(root);
    folders.push(folder);
    let shown = root;
    for (const name of names) {
      shown = `${shown === '/' ? '' : shown}/${name}`;
      folder = await folder.open(name, shown);
      folders.push(folder);
    }
    return await cleanFolder({
      folder,
      shown,
      match: globs([input.match ?? '**'].flat()),
      before: systemClock.now() - parseDuration(input.olderThan),
      dryRun: input.dryRun ?? false,
      maxFiles: input.maxFiles ?? DEFAULT_MAX_FILES,
      emptyFolders: input.emptyFolders ?? false,
      signal: ctx.signal,
    });
  } catch (error) {
    if (ctx.signal.aborted) throw ctx.signal.reason;
    if (error instanceof FolderChangedError) throw Reject(error.message, { code: error.code });
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new FilesError('files_failed', `cannot clean ${input.folder}`, { cause: error });
  } finally {
    await Promise.all(folders.map((folder) => folder.close().catch(() => undefined)));
  }
}

/** The root that a folder is in, and the way down from there. Nothing of the path is looked up for that. */
function placeOf(roots: readonly string[], given: string): { root: string; names: readonly string[] } {
  if (roots.length === 0) throw notConfigured('files.roots');
  if (given.includes('\0')) throw Reject('folder has a NUL in it', { code: 'invalid_folder' });
  const folder = resolve(given);
  for (const root of roots.map((each) => resolve(each))) {
    const way = relative(root, folder);
    if (way === '') return { root, names: [] };
    if (!isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`))
      return { root, names: way.split(sep) };
  }
  throw Reject(`${folder} is in none of files.roots of jetbeat.yaml: add it there to allow that`, {
    code: 'folder_not_allowed',
  });
}
