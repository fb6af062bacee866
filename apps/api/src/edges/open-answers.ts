import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Why a connection was cut without a word: it has asked for too much at once, or reads nothing of what it was answered. */
export type Cut = 'pipelined' | 'unread';

/** The answers that are not out yet, of all connections. */
export interface OpenAnswers {
  /** What waits in this process for those who asked, but for streams, bytes. */
  readonly waitingBytes: number;
  /** Takes a request on. False: its connection is cut, and nobody reads an answer. */
  take(request: IncomingMessage, response: ServerResponse, isStream?: boolean): boolean;
}

/**
 * Requests of one connection that may be open at once. Node hands over all that stand in what it has read, 64 KB, before it looks whether
 * the answers of the first are read; browsers and most clients send none before they have the answer of the last.
 */
const PIPELINED = 16;
/** What may wait in memory for those who do not read, of all connections, bytes. */
const WAITING_BYTES = 128 * 1_024 ** 2;
const LOOK_MS = 100;
/** Who has taken nothing for so long is cut before those who read slowly, milliseconds. */
const STILL_MS = 2_000;

interface Connection {
  readonly socket: Socket;
  readonly open: Set<ServerResponse>;
  /** Of these, all but streams, which have a bound of their own. */
  readonly plain: Set<ServerResponse>;
  /** What had gone out at the last look, and since when that is so. */
  out: { readonly bytes: number; readonly at: number };
}

/**
 * Bounds what connections make this process hold: the requests of one that are open, and the answers of all that wait to be read. Beyond it
 * connections are cut, those first for which most waits, and before all others those that take nothing.
 * @param params.cut told of each
 */
export function boundAnswers(
  app: FastifyInstance,
  params: {
    readonly cut: (why: Cut) => void;
    readonly pipelined?: number;
    readonly waitingBytes?: number;
    readonly monotonic?: () => number;
  },
): OpenAnswers {
  const { cut, pipelined = PIPELINED, waitingBytes = WAITING_BYTES } = params;
  const { monotonic = () => performance.now() } = params;
  const connections = new WeakMap<Socket, Connection>();
  /** Those with an open answer. */
  const asking = new Set<Connection>();
  const nothing = () => ({ bytes: 0, at: monotonic() });
  const connectionOf = (socket: Socket): Connection => {
    const before = connections.get(socket);
    if (before) return before;
    const made: Connection = { socket, open: new Set(), plain: new Set(), out: nothing() };
    connections.set(socket, made);
    return made;
  };
  const end = (why: Cut, { socket }: Connection) => {
    socket.destroy();
    cut(why);
  };
  const look = setInterval(() => {
    const now = monotonic();
    const waiting = [...asking].map((connection) => {
      const bytes = waitingOf(connection);
      noteOut(connection, now);
      return { connection, bytes, isStill: now - connection.out.at >= STILL_MS };
    });
    let all = waiting.reduce((sum, { bytes }) => sum + bytes, 0);
    if (all <= waitingBytes) return;
    waiting.sort((a, b) => Number(b.isStill) - Number(a.isStill) || b.bytes - a.bytes);
    for (const { connection, bytes } of waiting) {
      if (all <= waitingBytes) return;
      if (bytes === 0) continue;
      all -= bytes;
      end('unread', connection);
    }
  }, LOOK_MS);
  look.unref();
  app.addHook('onClose', async () => clearInterval(look));

  const answers: OpenAnswers = {
    get waitingBytes() {
      let sum = 0;
      for (const connection of asking) sum += waitingOf(connection);
      return sum;
    },
    take({ socket }, response, isStream = false) {
      // What else was read of it goes on coming.
      if (socket.destroyed) return false;
      const connection = connectionOf(socket);
      const { open, plain } = connection;
      if (open.size >= pipelined) {
        end('pipelined', connection);
        return false;
      }
      if (open.size === 0) connection.out = nothing();
      open.add(response);
      asking.add(connection);
      if (!isStream) plain.add(response);
      response.once('close', () => {
        open.delete(response);
        plain.delete(response);
        if (open.size === 0) asking.delete(connection);
      });
      return true;
    },
  };
  app.addHook('onRequest', (request, reply, done) => {
    const isStream = request.routeOptions.config?.stream === true;
    if (answers.take(request.raw, reply.raw, isStream)) done();
    else reply.hijack();
  });
  return answers;
}

/** What one connection has not taken yet; of the answer that goes out now Node counts what waits in the socket too. */
function waitingOf({ plain }: Connection): number {
  let sum = 0;
  for (const response of plain) sum += response.writableLength;
  return sum;
}

function noteOut(connection: Connection, now: number): void {
  const { socket, out } = connection;
  const bytes = socket.bytesWritten - socket.writableLength;
  if (bytes !== out.bytes) connection.out = { bytes, at: now };
}
