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

const PREFIX = '$JS.ACK.';

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time ns>.<pending>` and its newer form, which has the
 * domain and the account's hash before the stream and may have more tokens at its end.
 * @returns `undefined` for any other subject
 */
export function parseAckSubject(subject: string): DeliveryFacts | undefined {
  if (!subject.startsWith(PREFIX)) return undefined;
  const seventh = afterDots(subject, PREFIX.length, 6);
  const eighth = afterDots(subject, seventh, 1);
  if (seventh === 0 || (eighth !== 0 && afterDots(subject, eighth, 1) === 0)) return undefined;
  const consumerAt = afterDots(subject, PREFIX.length, eighth === 0 ? 1 : 3);
  const countAt = afterDots(subject, consumerAt, 1);
  const seqAt = afterDots(subject, countAt, 1);
  const consumerSeqAt = afterDots(subject, seqAt, 1);
  const consumer = subject.slice(consumerAt, countAt - 1);
  const deliveryCount = Number(subject.slice(countAt, seqAt - 1));
  const seq = Number(subject.slice(seqAt, consumerSeqAt - 1));
  const consumerSeq = Number(subject.slice(consumerSeqAt, subject.indexOf('.', consumerSeqAt)));
  if (!Number.isFinite(deliveryCount + seq + consumerSeq)) return undefined;
  return { consumer, deliveryCount, seq, consumerSeq };
}

/** When the message was stored, by the server's clock, as its reply subject says it: Unix milliseconds. */
export function storedTime(subject: string): number | undefined {
  const tokens = subject.split('.');
  const time = Number(tokens[tokens.length === 9 ? 7 : 9]) / 1e6;
  return Number.isFinite(time) ? time : undefined;
}

/** Where the text goes on after so many dots; 0 when there are not as many. Every message is read, so no list is made. */
function afterDots(text: string, from: number, count: number): number {
  let at = from;
  for (let left = count; left > 0; left--) {
    at = text.indexOf('.', at) + 1;
    if (at === 0) return 0;
  }
  return at;
}
