/**
 * The middle of some values, or the mean of the two in the middle.
 * @throws RangeError for no values
 */
export function median(values: readonly number[]): number {
  const sorted = sortedOf(values);
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] ?? 0;
  return Number.isInteger(half) ? ((sorted[half - 1] ?? 0) + upper) / 2 : upper;
}

/** The least and the greatest value. */
export function range(values: readonly number[]): [number, number] {
  const sorted = sortedOf(values);
  return [sorted[0] ?? 0, sorted[sorted.length - 1] ?? 0];
}

/**
 * The least value that at least this share of the values does not exceed (nearest rank), e.g. 0.99.
 * @throws RangeError for no values
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = sortedOf(values);
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? 0;
}

/** p50, p90, p99 and the greatest of some latencies, as the measures of a row name them. */
export function latencyFigures(values: readonly number[]): Record<'p50' | 'p90' | 'p99' | 'max', number> {
  const sorted = sortedOf(values);
  const at = (share: number) => sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? 0;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

function sortedOf(values: readonly number[]): number[] {
  if (values.length === 0) throw new RangeError('there are no values');
  return [...values].sort((a, b) => a - b);
}
