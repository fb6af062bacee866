/** What JetStream says of a delivery in its reply subject (NATS ADR-15). */
export interface DeliveryFacts {
  readonly consumer: string;
  /** From 1. */
  readonly deliveryCount: number;
  /** Stream sequence. */
  readonly seq: number;
  /** Which delivery of its consumer this is, from 1. */
  readonly consumerSeq: number;
}

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time ns>.<pending>` and its newer form, which has the
 * domain and the account's hash before the stream and may have more tokens at its end.
 * @returns `undefined` for any other subject
 */
export function parseAckSubject(subject: string): DeliveryFacts | undefined {
  const tokens = subject.split('.');
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK') return undefined;
  const at = tokens.length === 9 ? 3 : tokens.length >= 11 ? 5 : 0;
  const consumer = tokens[at];
  if (at === 0 || consumer === undefined) return undefined;
  const deliveryCount = Number(tokens[at + 1]);
  const seq = Number(tokens[at + 2]);
  const consumerSeq = Number(tokens[at + 3]);
  if (!Number.isFinite(deliveryCount + seq + consumerSeq)) return undefined;
  return { consumer, deliveryCount, seq, consumerSeq };
}
