import type { ServerResponse } from 'node:http';

/** Where a stream is written to, with a bound to what waits there for a client that reads slowly. */
export interface Outlet {
  /** The client has gone, or was sent away. */
  readonly closed: boolean;
  /** Bytes that wait in this process. */
  readonly buffered: number;
  /** Returns false where too much waits already; then nothing was written, and `drained` tells when all of it has gone. */
  write(chunk: Buffer): boolean;
  /** Writes a line or two about the stream itself, however much waits. */
  say(text: string): void;
  /** Resolves when nothing waits any more, or it is closed. */
  drained(): Promise<void>;
  /** Calls `fn` once it is closed. */
  onClose(fn: () => void): void;
  /** Ends the answer after what waits. */
  end(): void;
}

/** @param params.most bytes that may wait, besides the chunk that exceeds it */
export function createOutlet(params: {
  readonly response: Pick<ServerResponse, 'write' | 'end' | 'once' | 'on'>;
  readonly most: () => number;
}): Outlet {
  const { response, most } = params;
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  let ended = false;
  let buffered = 0;
  let drained: (() => void) | undefined;
  let draining: Promise<void> | undefined;

  const finish = () => {
    ended = true;
    close();
  };
  response.once('close', finish);
  // Its connection is gone: `close` follows.
  response.on('error', () => {});
  const left = (bytes: number) => {
    buffered -= bytes;
    if (buffered > 0) return;
    drained?.();
    draining = undefined;
    drained = undefined;
  };
  const push = (chunk: Buffer) => {
    if (ended) return;
    buffered += chunk.length;
    response.write(chunk, () => left(chunk.length));
  };
  return {
    get closed() {
      return ended;
    },
    get buffered() {
      return ended ? 0 : buffered;
    },
    write(chunk) {
      if (buffered > most()) return ended;
      push(chunk);
      return true;
    },
    say: (text) => push(Buffer.from(text)),
    async drained() {
      if (ended || buffered === 0) return;
      draining ??= new Promise((resolve) => {
        drained = resolve;
      });
      await Promise.race([draining, closed]);
    },
    onClose: (fn) => void closed.then(fn),
    end() {
      if (ended) return;
      finish();
      response.end();
    },
  };
}
