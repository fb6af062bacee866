import { createHash } from 'node:crypto';

/**
 * How much later than its nominal time an occurrence is to run, in whole milliseconds: in [0, `jitter`), and before the next
 * nominal time. It is drawn from the schedule and the nominal time, so that whoever asks again gets the same.
 */
export function jitterOf(params: {
  readonly scheduleId: string;
  /** Unix milliseconds. */
  readonly nominalTime: number;
  /** Milliseconds. */
  readonly jitter: number;
  /** The nominal time after this one, if there is one; Unix milliseconds. */
  readonly next: number | undefined;
}): number {
  const { scheduleId, nominalTime, jitter, next } = params;
  const room = Math.min(jitter, (next ?? Number.POSITIVE_INFINITY) - nominalTime);
  if (room <= 1) return 0;
  const drawn = createHash('sha256')
    .update(`jitter\n${scheduleId}\n${nominalTime}`)
    .digest()
    .readUIntBE(0, 6);
  return Math.floor((drawn / 2 ** 48) * room);
}
