import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';

/** A way to a server that a test can break in chosen places. */
export interface BreakableWay {
  readonly port: number;
  /** Lets through no more of what the server answers, from now on. */
  mute(): void;
  /** Lets `bytes` more of what the clients send through, then cuts the connections. Resolves when they are cut. */
  cutAfter(bytes: number): Promise<void>;
  /** Lets through nothing more of what the clients send from the moment on in which one sends `text`. Resolves then. */
  holdAt(text: string): Promise<void>;
  /** Cuts the connections. New ones are whole again. */
  cut(): void;
  stop(): Promise<void>;
}

/** Starts a proxy before a server on this machine. */
export async function startProxy(target: number): Promise<BreakableWay> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let muted = false;
  let left = Number.POSITIVE_INFINITY;
  let onCut = () => {};
  let hold: { readonly text: string; readonly held: () => void } | undefined;
  let holding = false;
  const cut = () => {
    muted = false;
    left = Number.POSITIVE_INFINITY;
    hold = undefined;
    holding = false;
    for (const sockets of pairs) for (const socket of sockets) socket.destroy();
    onCut();
  };
  const server = createServer((client) => {
    const upstream = dial(target, '127.0.0.1');
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    client.on('data', (chunk) => {
      if (hold && chunk.includes(hold.text)) {
        holding = true;
        hold.held();
      }
      if (holding) return;
      upstream.write(chunk.subarray(0, Math.min(chunk.length, left)));
      left -= chunk.length;
      // What was written last still goes out.
      if (left <= 0) upstream.end(cut);
    });
    upstream.on('data', (chunk) => !muted && client.write(chunk));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('a TCP server has a port');
  return {
    port: address.port,
    mute() {
      muted = true;
    },
    cutAfter(bytes) {
      left = bytes;
      return new Promise((resolve) => {
        onCut = resolve;
      });
    },
    holdAt(text) {
      return new Promise((held) => {
        hold = { text, held };
      });
    },
    cut,
    async stop() {
      server.close();
      cut();
    },
  };
}
