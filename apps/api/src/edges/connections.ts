import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../problems/problem.ts';

/** The connections of a server. */
export interface Connections {
  /** Those that are open. */
  readonly count: number;
  /**
   * To be asked of every request: the connection of one that comes with one too many ends with the answer.
   * @param always it is answered all the same
   * @throws ApiError overloaded
   */
  check(request: FastifyRequest, reply: FastifyReply, always: boolean): void;
}

/** Connections beyond the bound whose request is answered, so that whoever watches the process still can. */
const BESIDE = 50;
/** How long such a one may say nothing, milliseconds. */
const SILENT_MS = 5_000;
/** How often those that are idle are closed to make room, milliseconds: as nginx does with what it keeps alive. */
const ROOM_MS = 1_000;
/** Seconds. */
const RETRY_AFTER = 1;

/**
 * Bounds the connections of a server. What comes beyond is answered 503 and closed, but for a few requests that are always answered; what comes
 * beyond that too is closed at once. Connections that only wait for another request make room first.
 * @param params.dropped told of each that was closed without an answer
 */
export function boundConnections(
  app: FastifyInstance,
  params: {
    readonly most: number;
    readonly beside?: number;
    readonly dropped: () => void;
    readonly monotonic?: () => number;
  },
): Connections {
  const { most, beside = BESIDE, dropped, monotonic = () => performance.now() } = params;
  const { server } = app;
  const tooMany = new WeakSet<Socket>();
  let count = 0;
  let madeRoomAt = Number.NEGATIVE_INFINITY;
  server.maxConnections = most + beside;
  const makeRoom = () => {
    if (monotonic() - madeRoomAt < ROOM_MS) return;
    madeRoomAt = monotonic();
    server.closeIdleConnections();
  };
  server.on('connection', (socket: Socket) => {
    count += 1;
    socket.once('close', () => {
      count -= 1;
    });
    if (count >= most) makeRoom();
    if (count <= most) return;
    tooMany.add(socket);
    socket.setTimeout(SILENT_MS, () => socket.destroy());
  });
  // With https a request comes on another socket than the one that was opened.
  server.on('secureConnection', (socket: Socket) => {
    if (count > most) tooMany.add(socket);
  });
  server.on('drop', () => {
    makeRoom();
    dropped();
  });
  return {
    get count() {
      return count;
    },
    check({ raw }, reply, always) {
      if (!tooMany.has(raw.socket)) return;
      void reply.header('connection', 'close');
      if (always) return;
      throw new ApiError(
        'overloaded',
        `${most} connections are open here, which is as many as there may be: repeat later`,
        {
          retryAfter: RETRY_AFTER,
          counted: 'connections',
        },
      );
    },
  };
}
