import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from './exists.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { giveAllTo, giveTo, type Runner } from './postgres-user.ts';
import { lastLine, run } from './run.ts';
import { StartError } from './start-error.ts';

/** The user and the database of the embedded server. */
export const databaseName = 'jetbeat';

/** A data folder that PostgreSQL can be started on, and the password of its one user. */
export interface Cluster {
  data: string;
  password: string;
}

/**
 * Finds the cluster in `dir`, or makes it: encoding UTF-8, the built-in C.UTF-8 locale (the same order of text on
 * every platform), and the database. Everybody on the machine can reach a port of 127.0.0.1, so the user has a random
 * password (SCRAM), kept in a file of mode 0600 beside the data and nowhere else.
 * A half-made cluster of a killed start is thrown away: it gets its name only when it is whole.
 */
export async function openCluster(params: {
  dir: string;
  binaries: PostgresBinaries;
  runner: Runner;
}): Promise<Cluster> {
  const data = join(params.dir, 'data');
  const passwordFile = join(params.dir, 'password');
  if (await exists(join(data, 'PG_VERSION'))) {
    await giveAllTo(params.runner, data);
    return { data, password: (await readFile(passwordFile, 'utf8')).trim() };
  }
  const draft = join(params.dir, 'data.new');
  const password = randomBytes(24).toString('base64url');
  await rm(draft, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await giveTo(params.runner, passwordFile);
  await mkdir(draft, { mode: 0o700 });
  await giveTo(params.runner, draft);
  await runProgram(params, params.binaries.initdb, [
    ...['--pgdata', draft, '--username', databaseName, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
    ...[
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-sync',
    ],
  ]);
  // The single-user mode makes the database without a client and without a port.
  const single = ['--single', '-D', draft, '-c', 'log_min_messages=error', 'postgres'];
  await runProgram(params, params.binaries.postgres, single, `CREATE DATABASE ${databaseName}\n`);
  await rename(draft, data);
  return { data, password };
}

async function runProgram(
  params: { dir: string; binaries: PostgresBinaries; runner: Runner },
  program: string,
  args: readonly string[],
  input?: string,
): Promise<void> {
  const { runner, binaries, dir } = params;
  const [command = program, ...rest] = [...runner.prefix, program, ...args];
  const result = await run({
    command,
    args: rest,
    cwd: dir,
    timeoutMs: 60_000,
    env: { ...process.env, ...binaries.env, LC_ALL: 'C' },
    ...(input === undefined ? {} : { input }),
    ...(runner.uid === undefined ? {} : { uid: runner.uid }),
    ...(runner.gid === undefined ? {} : { gid: runner.gid }),
  });
  if (result.code !== 0) throw new StartError(`PostgreSQL: ${program} failed: ${lastLine(result)}`);
}
