import type { Key } from './keys.ts';

/**
 * A job came back from the parking place of a key that holds for it no more. Returns whether `leaveAll` is to be called; where it is under
 * way, it sees to this one too.
 */
export function leave(key: Key, job: string): boolean {
  const isFirst = key.left === undefined;
  key.left ??= new Set();
  key.left.add(job);
  return isFirst;
}

/**
 * Gives up what was kept for the jobs that have left a key, and lets go what else waits there and has left it, which nobody else may know: it
 * was changed by a new version, or a new configuration. Many of them take one turn after the other, so that who has the key
 * still may claim it meanwhile.
 * @param inTurn does something about the key, if at all, when nothing else is being done about it
 * @param letGo true: more of them may wait
 */
export async function leaveAll(
  inTurn: (turn: (key: Key) => Promise<void>) => Promise<void>,
  letGo: (key: Key, left: Set<string>) => Promise<boolean>,
): Promise<void> {
  for (let goesOn = true; goesOn; ) {
    goesOn = false;
    await inTurn(async (key) => {
      const left = new Set(key.left);
      const more = await letGo(key, left);
      for (const job of left) key.left?.delete(job);
      goesOn = more || (key.left?.size ?? 0) > 0;
      if (!goesOn) key.left = undefined;
    });
  }
}
