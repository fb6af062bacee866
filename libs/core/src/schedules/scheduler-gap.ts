/** From when to when nothing was planned; Unix milliseconds. */
export interface SchedulerGap {
  readonly from: number;
  readonly to: number;
  /** `away`: no scheduler made a pass. `held`: none was to make new jobs, since JetStream's storage was full. */
  readonly cause: 'away' | 'held';
}

/** How long a pass may take to come to a schedule, in milliseconds: what came so shortly before a gap may not have been planned. */
const AFTER_MS = 1_000;

/** Why a time (Unix milliseconds) was not fired when it came, where that is known. @param gaps newest first */
export function awayAt(gaps: readonly SchedulerGap[], time: number): string | undefined {
  const gap = gaps.find(({ from, to }) => time > from - AFTER_MS && time <= to);
  if (gap === undefined) return undefined;
  const [from, to] = [new Date(gap.from).toISOString(), new Date(gap.to).toISOString()];
  return gap.cause === 'held'
    ? `held back from ${from} to ${to}: storage is full`
    : `no scheduler from ${from} to ${to}`;
}
