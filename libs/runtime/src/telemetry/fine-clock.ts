/** More than this between the two clocks, and the wall clock was set. Milliseconds. */
const APART_MS = 2;

/** Unix milliseconds with fractions, which `Date.now` does not have, and yet never far from it. */
export function createFineClock(
  wall: () => number = Date.now,
  steady: () => number = () => performance.now(),
): () => number {
  let offset = wall() - steady();
  return () => {
    const now = wall();
    const fine = steady() + offset;
    if (Math.abs(fine - now) <= APART_MS) return fine;
    offset = now - steady();
    return now;
  };
}
