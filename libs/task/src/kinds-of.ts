import { MAX_KIND } from '@jetbeat/core';

/** Links of a chain that are followed; a chain may be made to be endless. */
const MAX_LINKS = 16;

/**
 * What `retryOn` and `noRetryOn` may name of an error: the classes that it is of, its own name, and its code; where it has
 * none, that of its nearest cause (`fetch` says `ECONNREFUSED` there only). Judged where it was thrown, since none of
 * this is left of it elsewhere.
 */
export function kindsOf(thrown: unknown): readonly string[] {
  const kinds = new Set<string>();
  const add = (kind: unknown) => {
    const name = typeof kind === 'number' ? String(kind) : kind;
    if (typeof name === 'string' && name !== '' && name.length <= MAX_KIND) kinds.add(name);
  };
  try {
    // What is no error is kept as one of this name.
    if (!(thrown instanceof Error)) return ['NotAnError', 'Error'];
    let link: object | null = Object.getPrototypeOf(thrown);
    for (let links = 0; link && link !== Object.prototype && links < MAX_LINKS; links++) {
      add((link as { readonly constructor?: { readonly name?: unknown } }).constructor?.name);
      link = Object.getPrototypeOf(link);
    }
    add(thrown.name);
    add(codeOf(thrown));
  } catch {
    // A getter that throws, a proxy: the outcome must not depend on it.
    kinds.add('Error');
  }
  return [...kinds];
}

function codeOf(error: Error): unknown {
  let found: unknown = error;
  for (let links = 0; found instanceof Error && links < MAX_LINKS; links++) {
    const { code } = found as { readonly code?: unknown };
    if (code !== undefined) return code;
    found = found.cause;
  }
  return undefined;
}
