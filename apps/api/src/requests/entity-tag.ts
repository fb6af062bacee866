/** The entity tag of a version (RFC 9110 §8.8.3). */
export function entityTag(version: number): string {
  return `"${version}"`;
}

/**
 * Whether a version is one that `If-Match` names (RFC 9110 §13.1.1). A weak tag counts like a strong one: proxies that compress
 * an answer weaken its tag, and the number in it still says which version was read.
 */
export function matches(ifMatch: string | undefined, version: number): boolean {
  if (ifMatch === undefined || ifMatch.trim() === '*') return true;
  return ifMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === entityTag(version));
}
