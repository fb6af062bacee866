/** Upper bounds in seconds, from what a job in memory takes to the hour after which it is ended. */
const SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600,
];

/** Values counted by size, in bounds that are fixed: recording one is a short search and three additions. */
export class Histogram {
  readonly bounds: readonly number[];
  /** Per bound how many values are at most so large and larger than the bound before; the last cell has the rest. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[] = SECONDS) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Counts a value; what is below zero, as of two clocks, counts as zero, and so does what is no number. */
  record(value: number): void {
    const { bounds, counts } = this;
    const found = Math.max(0, value || 0);
    let index = 0;
    while (index < bounds.length && found > (bounds[index] as number)) index++;
    counts[index] = (counts[index] as number) + 1;
    this.sum += found;
    this.count += 1;
  }
}
