import type { Msg } from '@nats-io/nats-core';

/** Where the client keeps what it received: the header block, of `hdr` bytes (-1: none), then the body. */
interface Received {
  readonly _rdata?: Uint8Array;
  readonly _msg?: { readonly hdr: number };
}

/**
 * Says whether a message has a header of this name, spelled like this. Looks at the text of the header block: to take
 * every message's headers apart, as the client does, costs more than all else that is read of it.
 */
export function headerFinder(message: Msg): (name: string) => boolean {
  const block = blockOf(message);
  if (block === undefined) return (name) => message.headers?.has(name) ?? false;
  return (name) => block.includes(name) && block.includes(`\r\n${name}:`);
}

/** `undefined` when the client does not show it; a name in it is ASCII, so one byte may be one character. */
function blockOf(message: Msg & Received): string | undefined {
  const { _rdata: received, _msg: args } = message;
  if (!received || typeof args?.hdr !== 'number') return undefined;
  return args.hdr <= 0 ? '' : Buffer.from(received.buffer, received.byteOffset, args.hdr).toString('latin1');
}
