import { chown, readFile, stat } from 'node:fs/promises';
import { lastLine, type RunResult, run } from './run.ts';
import { StartError } from './start-error.ts';

/** A command line that runs PostgreSQL's programs as somebody else than root. */
export interface Runner {
  /** Goes in front of the program. */
  prefix: readonly string[];
  /** For the spawn itself, when there is no program to change the user. */
  uid?: number;
  gid?: number;
  /** Who must own the data folder, when it is not the current user. */
  owner?: { uid: number; gid: number };
  how: string;
}

/**
 * How to run PostgreSQL, which refuses to be root. As a normal user: directly. As root: in a user namespace that shows
 * us as another user, which needs no new user and reads folders of mode 0700; where namespaces are not allowed, as the
 * user `postgres`, made if need be, with the right to pass through our folders where `setpriv` can give it.
 * Throws, with what to do, when nothing works.
 */
export async function postgresRunner(params: {
  program: string;
  dir: string;
  namespaces?: boolean;
}): Promise<Runner> {
  if (process.getuid?.() !== 0) return { prefix: [], how: 'as the current user' };
  const users = await passwd();
  // initdb looks its user up by number, so the namespace must show one that exists.
  const shown =
    users.find((u) => u.uid === 1000) ??
    users.find((u) => u.name === 'nobody') ??
    users.find((u) => u.uid !== 0);
  if (params.namespaces !== false && shown !== undefined) {
    const prefix = ['unshare', '--user', `--map-user=${shown.uid}`, `--map-group=${shown.uid}`];
    if (await works({ prefix, ...params })) return { prefix, how: 'in a user namespace' };
  }
  const user = users.find((u) => u.name === 'postgres') ?? (await createPostgresUser());
  const owner = { uid: user.uid, gid: user.gid };
  // The securebit lets access(2), with which initdb looks for its programs, see the capability too.
  const secure = ['--securebits', '+no_setuid_fixup'];
  const caps = [...secure, '--inh-caps', '+dac_override', '--ambient-caps', '+dac_override'];
  const prefix = ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...caps];
  await chown(params.dir, user.uid, user.gid);
  if (await works({ prefix, ...params })) return { prefix, owner, how: 'as the user postgres' };
  return { prefix: [], ...owner, owner, how: 'as the user postgres' };
}

/**
 * True when the program can be run and the folder be written so. A namespace takes root's rights over what belongs to
 * other users, so that a checkout of another user may be closed to it.
 */
async function works(params: { prefix: readonly string[]; program: string; dir: string }): Promise<boolean> {
  const probe = ['/bin/sh', '-c', 'test -w "$1" && exec "$0" --version', params.program, params.dir];
  return (await attempt([...params.prefix, ...probe])).code === 0;
}

/** Gives a file or folder to the runner's user, where that is somebody else. */
export async function giveTo(runner: Runner, path: string): Promise<void> {
  if (runner.owner !== undefined) await chown(path, runner.owner.uid, runner.owner.gid);
}

/** Gives a folder with all that is in it to the runner's user, where it was somebody else's. */
export async function giveAllTo(runner: Runner, dir: string): Promise<void> {
  const { owner } = runner;
  if (owner === undefined || (await stat(dir)).uid === owner.uid) return;
  const given = await run({
    command: 'chown',
    args: ['-R', `${owner.uid}:${owner.gid}`, dir],
    timeoutMs: 60_000,
  });
  if (given.code !== 0)
    throw new StartError(`PostgreSQL: cannot give ${dir} to the user postgres: ${lastLine(given)}`);
}

interface User {
  name: string;
  uid: number;
  gid: number;
}

async function passwd(): Promise<User[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

async function createPostgresUser(): Promise<User> {
  const system = await attempt(['useradd', '--system', '--user-group', '--no-create-home', 'postgres']);
  if (system.code !== 0) await attempt(['adduser', '-S', '-D', '-H', 'postgres']);
  const user = (await passwd()).find((u) => u.name === 'postgres');
  if (user !== undefined) return user;
  throw new StartError(
    'PostgreSQL refuses to run as root, user namespaces are not allowed here, and no user could be made; run as a normal user, or add a user named postgres',
  );
}

function attempt(command: readonly string[]): Promise<RunResult> {
  const [program = '', ...args] = command;
  return run({ command: program, args, timeoutMs: 10_000 });
}
