import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Answers with the description. */
export type AnswerDescription = (request: FastifyRequest, reply: FastifyReply, as: Format) => FastifyReply;

type Format = 'json' | 'yaml';

const TYPES: Readonly<Record<Format, string>> = {
  json: 'application/json; charset=utf-8',
  yaml: 'application/x-yaml',
};

/**
 * Makes what answers with the description of the API. It has hundreds of kilobytes, anybody may ask for it, and it stays as it is while the
 * process runs: so it is written once, and whoever has it already is told so (RFC 9110 §13.1.2).
 */
export function describedBy(app: Pick<FastifyInstance, 'swagger'>): AnswerDescription {
  const written = new Map<Format, { readonly body: Buffer; readonly tag: string }>();
  const write = (as: Format) => {
    const before = written.get(as);
    if (before) return before;
    const body = Buffer.from(as === 'yaml' ? app.swagger({ yaml: true }) : JSON.stringify(app.swagger()));
    const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    const made = { body, tag };
    written.set(as, made);
    return made;
  };
  return (request, reply, as) => {
    const { body, tag } = write(as);
    // Everybody may see it: it may be kept, if it is asked for again whether it is still so.
    void reply.header('etag', tag).header('cache-control', 'no-cache');
    if (isKnown(request.headers['if-none-match'], tag)) return reply.status(304).send();
    return reply.type(TYPES[as]).send(body);
  };
}

/** Compared weakly: what a proxy has packed is the same description. */
function isKnown(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => ['*', tag].includes(one.trim().replace(/^W\//, '')));
}
