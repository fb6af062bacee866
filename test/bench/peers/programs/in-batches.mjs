/** Calls `add(from, size)` for batches of `size` until `count` is reached, `inFlight` of them at a time. */
export async function inBatches({ count, size, inFlight }, add) {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const from = next;
      next += Math.min(size, count - from);
      await add(from, Math.min(size, count - from));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}
