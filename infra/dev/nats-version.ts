import { type Log, run } from './run.ts';

/** The version that is fetched when the machine has none that is new enough. */
export const natsVersion = '2.15.1';
/** The oldest server with message schedules and atomic batches as they are used here. */
export const natsFloor = '2.14.0';

/** The version in what `nats-server --version` prints, without its `v`; undefined when there is none. */
export function parseNatsVersion(text: string): string | undefined {
  return /nats-server:? v?(\d+\.\d+\.\d+)/.exec(text)?.[1];
}

/** True when a version like `2.15.1` is not older than the floor. */
export function isNewEnough(version: string, floor: string = natsFloor): boolean {
  const a = version.split('.').map(Number);
  const b = floor.split('.').map(Number);
  for (const [index, wanted] of b.entries()) {
    const has = a[index] ?? 0;
    if (has !== wanted) return has > wanted;
  }
  return true;
}

/** What became of one place to look: the program's path, or why it will not do. */
export type Found = { path: string; version: string } | { why: string };

/** Runs a candidate and says whether it is a nats-server that is new enough. */
export async function tryCandidate(path: string): Promise<Found> {
  const result = await run({ command: path, args: ['--version'], timeoutMs: 10_000 });
  const version = parseNatsVersion(result.stdout + result.stderr);
  if (version === undefined)
    return { why: `${path} is no nats-server (${result.stderr.trim() || 'no version'})` };
  if (!isNewEnough(version)) return { why: `${path} is ${version}, older than ${natsFloor}` };
  return { path, version };
}

/** One way to fetch nats-server into an empty folder; returns the program's path in it, or why it could not. */
export type Source = (params: {
  dir: string;
  log: Log;
  signal?: AbortSignal | undefined;
}) => Promise<{ path: string } | { why: string }>;
