import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';

/**
 * Looks where the system will look for a program: a name with a slash from `cwd` on, another one in the folders of `path`.
 * @throws {NodeJS.ErrnoException} of the system, when there is none that may be run, or `cwd` is no folder
 */
export async function findProgram(program: string, cwd: string, path = ''): Promise<void> {
  // An empty name would be the folder itself; the system says the same of both.
  await access(join(cwd, '.'), constants.X_OK);
  const places = program.includes('/')
    ? [program]
    : path.split(delimiter).map((folder) => join(folder, program));
  let refused: unknown;
  for (const place of places) {
    try {
      return await checkRunnable(resolve(cwd, place));
    } catch (error) {
      // What is there and may not be run says more than what is not there.
      if (!refused || (error as NodeJS.ErrnoException).code !== 'ENOENT') refused = error;
    }
  }
  throw refused;
}

async function checkRunnable(file: string): Promise<void> {
  await access(file, constants.X_OK);
  if ((await stat(file)).isDirectory())
    throw Object.assign(new Error(`${file} is a folder`), { code: 'EISDIR' });
}
