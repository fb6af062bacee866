/** What a first call has counted, and a second one confirms. Nobody needs to guard it: who may confirm may purge anyway. */
export interface Confirmation {
  readonly queue: string;
  readonly timers: boolean;
  /** Last sequence of JOBS when it was counted, and when that stream was made. */
  readonly upTo: number;
  readonly streamCreated: number;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Writes it as a word. */
export function writeConfirmation({ queue, timers, upTo, streamCreated, at }: Confirmation): string {
  return Buffer.from(JSON.stringify([queue, timers, upTo, streamCreated, at])).toString('base64url');
}

/** Reads it; undefined for what is none. */
export function readConfirmation(text: string): Confirmation | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(value)) return undefined;
    const [queue, timers, upTo, streamCreated, at] = value as unknown[];
    const counts = [upTo, streamCreated, at];
    if (typeof queue !== 'string' || typeof timers !== 'boolean' || !counts.every(Number.isSafeInteger))
      return undefined;
    return value.length === 5
      ? { queue, timers, upTo: Number(upTo), streamCreated: Number(streamCreated), at: Number(at) }
      : undefined;
  } catch {
    return undefined;
  }
}
