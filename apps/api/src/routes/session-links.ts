import type { SignInLink } from '@jetbeat/core/http';
import { createSessionLink, getSession, type SessionLink } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { Caller } from '../access/caller.ts';
import { timeText } from '../jobs/job-json.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { makeToken } from '../sign-in/session-cookie.ts';
import { needSite, siteOf } from '../sign-in/site.ts';

/** How long a link waits to be followed, milliseconds. */
const VALID_MS = 600_000;
/** What it takes. */
const NOTHING = Type.Object({}, { additionalProperties: false });

/** `POST /session/links`: a link that signs a browser in once, as who asks for it. */
export function sessionLinkRoute(app: FastifyInstance, { db, door }: Parts): void {
  /** Of whom the link is: what it begins may no more, lasts no longer, and ends with it. */
  const ownerOf = async (caller: Caller): Promise<SessionLink> => {
    const { kind, id, hash = '', name, role, queues, payloads } = caller;
    const rights = { name, role, payloads, ...(queues === undefined ? {} : { queues }) };
    if (kind === 'key') return { ...rights, key: { id, hash } };
    const session = await getSession(db, id);
    if (!session?.live) throw new ApiError('session_ended', 'this session is over: sign in anew at /sign-in');
    if (session.parent !== undefined) throw new ApiError('forbidden', NO_CHAINS);
    const { key, issuer, subject, expiresAt } = session;
    return {
      ...rights,
      parent: id,
      until: expiresAt,
      ...(key === undefined ? {} : { key }),
      ...(issuer === undefined ? {} : { issuer }),
      ...(subject === undefined ? {} : { subject }),
    };
  };
  app.post(
    '/session/links',
    {
      config: { role: 'viewer', scope: 'none', toldOnce: true },
      schema: {
        operationId: 'createSignInLink',
        tags: ['sessions'],
        summary: 'Make a link that signs a browser in, once, within ten minutes',
        description:
          'Who follows it is signed in as who asks for it, with the same rights, and no longer than that key or session holds. Whoever has the link can follow it: show it to nobody else.',
        body: NOTHING,
        response: {
          201: answer('The link; it is told here, and never again.', 'SignInLink'),
          ...problems(415),
        },
      },
    },
    async (request, reply) => {
      const site = siteOf(request, door);
      needSite(site);
      const owner = await ownerOf(request.caller);
      const { token: code, hash: codeHash } = makeToken();
      const expiresAt = await createSessionLink(db, { ...owner, codeHash, validMs: VALID_MS });
      request.log.info({ by: request.caller.id }, 'a link that signs in was made');
      // What stands behind # is sent to nobody, so that neither logs nor other sites have it.
      const link: SignInLink = {
        url: `${site.origin}/sign-in#code=${code}`,
        code,
        expiresAt: timeText(expiresAt),
      };
      return reply.status(201).send(link);
    },
  );
}

const NO_CHAINS =
  'this session was begun by a link of another one: ask there for another link, or sign in with the key';
