import { type Event, encodeEvent } from '@jetbeat/core';
import { PublishRefusedError } from '../connection/errors.ts';

/**
 * Writes an event, cut to `maxBytes` where that is possible: a result or an error that is too large must not keep its
 * job from ending. A cut result is `{"truncated": true, "bytes": <its size>}`.
 * @throws PublishRefusedError (`payload_too_large`) for an event that is too large without them
 */
export function fittingEvent(event: Event, maxBytes: number): string {
  let text = encodeEvent(event);
  for (const cut of CUTS) {
    if (fits(text, maxBytes)) return text;
    text = encodeEvent(cut(event));
  }
  if (fits(text, maxBytes)) return text;
  const message = `an event "${event.kind}" of ${Buffer.byteLength(text)} bytes is more than the server takes (${maxBytes})`;
  throw new PublishRefusedError('payload_too_large', message);
}

/** A character takes three bytes at most, so most texts need no counting. */
function fits(text: string, maxBytes: number): boolean {
  return text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes;
}

/** Tried one after the other; each starts from the whole event. */
const CUTS: readonly ((event: Event) => Event)[] = [
  withoutResult,
  (event) => withoutError(withoutResult(event)),
];

function withoutResult(event: Event): Event {
  if (event.kind === 'settled' && event.result !== undefined) {
    return { ...event, result: { truncated: true, bytes: Buffer.byteLength(JSON.stringify(event.result)) } };
  }
  if (event.kind === 'worker' && event.tasks) {
    return { ...event, tasks: event.tasks.map(({ inputSchema: _left, ...task }) => task) };
  }
  return event;
}

function withoutError(event: Event): Event {
  if (event.kind !== 'settled' || !event.error) return event;
  const { name, message } = event.error;
  return { ...event, error: { name: name.slice(0, 256), message: `${message.slice(0, 1_024)} (cut)` } };
}
