/** `"seq":`, from behind. */
const NAME = [...Buffer.from('"seq":')].reverse();
const BRACE = 125;
const ZERO = 48;
const NINE = 57;
const S = 115;

/**
 * Reads the sequence out of the plain answer to a publish, `{"stream":"JOBS", "seq":7}`, without parsing it as JSON: there is
 * one per job.
 * @returns 0 for any other answer: an error, a duplicate, a batch
 */
export function readSequence(answer: Uint8Array): number {
  // An error begins with `{"error":`, and ends like this too.
  if (answer[2] !== S || answer[answer.length - 1] !== BRACE) return 0;
  let at = answer.length - 2;
  let seq = 0;
  for (let unit = 1; at > 0; at--, unit *= 10) {
    const digit = answer[at] ?? 0;
    if (digit < ZERO || digit > NINE) break;
    seq += (digit - ZERO) * unit;
  }
  const isSequence = NAME.every((byte, index) => answer[at - index] === byte);
  return isSequence ? seq : 0;
}
