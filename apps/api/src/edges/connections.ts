import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../problems/problem.ts';
import { addressGroup } from './address-group.ts';

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
/** How many of these one address may have, so that it does not keep out whoever watches the process from another. */
const SHARE = 10;
/** How long such a one may say nothing, milliseconds. */
const SILENT_MS = 2_000;
/** How often those that are idle are closed to make room, milliseconds: as nginx does with what it keeps alive. */
const ROOM_MS = 1_000;
/** When the server stops, one that has said nothing for so long has no request on its way, milliseconds; and how often that is looked at. */
const UNUSED_MS = 250;
/** When the server stops, how old one becomes at most whose first request, or handshake, has begun to come and does not end, milliseconds. */
const BEGUN_MS = 2_000;
const LOOK_MS = 50;
/** Seconds. */
const RETRY_AFTER = 1;

/** A connection of which no request has come yet. */
interface Silent {
  readonly socket: Socket;
  readonly at: number;
  /** The one on which a request comes: with https another, once the handshake is over. */
  asking: Socket;
}

/**
 * Bounds the connections of a server. What comes beyond is answered 503 and closed, but for a few requests that are always answered; what comes
 * beyond that too, or beyond the share of its address, is closed at once. Connections that only wait for a request make room first, be it their
 * first or another.
 * @param params.share of what comes beyond, for one address
 * @param params.dropped told of each that was closed without an answer
 */
export function boundConnections(
  app: FastifyInstance,
  params: {
    readonly most: number;
    readonly beside?: number;
    readonly share?: number;
    readonly dropped: () => void;
    readonly monotonic?: () => number;
  },
): Connections {
  const { most, beside = BESIDE, share = SHARE, dropped, monotonic = () => performance.now() } = params;
  const { server } = app;
  const tooMany = new WeakSet<Socket>();
  /** By address, how many of those beyond the bound are open. */
  const shares = new Map<string, number>();
  /** Those of which no request has come yet, oldest first, by where they come from: with https that is what both of their sockets have in common. */
  const silent = new Map<string, Silent>();
  let count = 0;
  let madeRoomAt = Number.NEGATIVE_INFINITY;
  server.maxConnections = most + beside;
  /** Those that have never asked for anything are no idle ones to Node. */
  const closeSilent = (sinceMs: number, begunMs = sinceMs) => {
    for (const { socket, at, asking } of silent.values()) {
      const age = monotonic() - at;
      if (age < sinceMs) break;
      if (age >= begunMs || asking.bytesRead === 0) socket.destroy();
    }
  };
  const makeRoom = () => {
    if (monotonic() - madeRoomAt < ROOM_MS) return;
    madeRoomAt = monotonic();
    server.closeIdleConnections();
    closeSilent(SILENT_MS);
  };
  const takeShare = (socket: Socket) => {
    const group = addressGroup(socket.remoteAddress ?? '');
    const taken = shares.get(group) ?? 0;
    if (taken >= share) return false;
    shares.set(group, taken + 1);
    socket.once('close', () => {
      const left = (shares.get(group) ?? 1) - 1;
      if (left > 0) shares.set(group, left);
      else shares.delete(group);
    });
    return true;
  };
  server.on('connection', (socket: Socket) => {
    count += 1;
    const from = placeOf(socket);
    silent.set(from, { socket, at: monotonic(), asking: socket });
    socket.once('close', () => {
      count -= 1;
      silent.delete(from);
    });
    if (count >= most) makeRoom();
    if (count <= most) return;
    if (!takeShare(socket)) {
      socket.destroy();
      dropped();
      return;
    }
    tooMany.add(socket);
    socket.setTimeout(SILENT_MS, () => socket.destroy());
  });
  // Browsers and others open connections ahead, and keep them: the server would wait for them to go.
  app.addHook('preClose', (done) => {
    const look = setInterval(() => closeSilent(UNUSED_MS, BEGUN_MS), LOOK_MS);
    if (server.listening) server.once('close', () => clearInterval(look));
    else clearInterval(look);
    done();
  });
  // With https a request comes on another socket than the one that was opened.
  server.on('secureConnection', (socket: Socket) => {
    if (count > most) tooMany.add(socket);
    const one = silent.get(placeOf(socket));
    if (one) one.asking = socket;
  });
  server.on('request', ({ socket }: { socket: Socket }) => void silent.delete(placeOf(socket)));
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

function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
