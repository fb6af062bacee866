import type { PeerParams } from '../result.ts';
import { findRedis, type Redis } from './find-redis.ts';
import { installCelery } from './install-celery.ts';
import { installPackages } from './install-packages.ts';
import type { Installation } from './installation.ts';

/** What of the peers' parts could be had on this machine. */
export interface Parts {
  readonly node: Part<Installation>;
  readonly python: Part<Installation>;
  readonly redis: Part<Redis>;
}

/** A part, or why there is none. */
export type Part<T> = { readonly part: T } | { readonly why: string };

/** Installs and finds all that the peers need, one after another; whatever fails leaves its reason. */
export async function findParts(params: PeerParams): Promise<Parts> {
  return {
    node: await tried(installPackages(params)),
    python: await tried(installCelery(params)),
    redis: await tried(findRedis(params)),
  };
}

/**
 * The part itself.
 * @throws the reason why there is none
 */
export function had<T>(wanted: Part<T>): T {
  if ('why' in wanted) throw new Error(wanted.why);
  return wanted.part;
}

function tried<T>(made: Promise<T>): Promise<Part<T>> {
  return made.then(
    (part) => ({ part }),
    (error: unknown) => ({ why: error instanceof Error ? error.message : String(error) }),
  );
}
