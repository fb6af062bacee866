import type { FastifyReply } from 'fastify';
import type { StreamTarget } from './live-events.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its answer goes on for as long as the client wants: it is counted apart, and has no span. */
    stream?: true;
  }
}

/** What the description says of a stream, instead of a body. */
export const STREAM_TYPE = 'text/event-stream';

/** Nothing on the way may keep it, change it or hold it back until there is more; nginx has a header of its own for that. */
const HEADERS = {
  'content-type': `${STREAM_TYPE}; charset=utf-8`,
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
};

/** The answer to a request as a stream: from its beginning on it is no affair of the framework. */
export function streamAnswer(reply: FastifyReply): StreamTarget {
  return {
    response: reply.raw,
    begin() {
      reply.hijack();
      const given = Object.entries(reply.getHeaders()).filter(([, value]) => value !== undefined);
      reply.raw.writeHead(200, { ...(Object.fromEntries(given) as Record<string, string>), ...HEADERS });
      reply.raw.flushHeaders();
    },
  };
}
