import { type SignIn, SignInSchema, type SignInWays } from '@jetbeat/core/http';
import { findSessionLink, getSession, type SessionRecord } from '@jetbeat/postgres';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { hashSecret } from '../access/api-key.ts';
import type { Caller } from '../access/caller.ts';
import { answerHeaders } from '../description/answer-headers.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import type { Oidc } from '../sign-in/oidc.ts';
import { sentSession, takeSession } from '../sign-in/session-cookie.ts';
import { callerJson, sessionCaller } from '../sign-in/session-json.ts';
import { actorOf, noteOf, type SignedIn } from '../sign-in/sessions.ts';
import { needSite, refuseOtherPages, refuseOthers, siteOf } from '../sign-in/site.ts';

const OIDC_PATH = '/api/v1/session/oidc';

/** `POST /session`: signs in with a key, or with the code of a link. */
export function signInRoute(app: FastifyInstance, { db, callers, sessions, door, uses }: Parts): void {
  const signedInBy = async ({ key, code = '' }: SignIn): Promise<SignedIn> => {
    if (key !== undefined) {
      const caller = await callers.ofKey(key);
      uses.note(caller);
      return byKey(caller);
    }
    const codeHash = hashSecret(code);
    const link = await findSessionLink(db, codeHash);
    if (!link)
      throw new ApiError('unauthorized', 'this link holds no more, or was followed: ask for another one');
    const { until, ...who } = link;
    return { by: 'link', link: codeHash, ...who, ...(until === undefined ? {} : { expiresAt: until }) };
  };
  app.post<{ Body: SignIn }>(
    '/session',
    {
      config: { role: 'anyone', scope: 'none' },
      onRequest: (request, _reply, done) => {
        const site = siteOf(request, door);
        refuseOtherPages(request, site);
        // Whatever is in the way of a session is told before a link is used up.
        needSite(site);
        sentSession(request, door);
        done();
      },
      schema: {
        operationId: 'signIn',
        tags: ['sessions'],
        summary: 'Sign in with a key, or with the code of a link',
        description:
          'The answer sets the cookie of a new session; one that came with the request is over. A session that follows its own link stays the one that it is. A page of another site is refused.',
        body: SignInSchema,
        response: { 201: answer('Who is signed in.', 'Session', 'Location', 'Set-Cookie'), ...problems(415) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const begin = async () => sessions.begin({ request, reply, who: await signedInBy(body) });
      const begun = await begin().catch((error: unknown) => {
        if (error instanceof ApiError)
          sessions.failed(request, body.key === undefined ? 'link' : 'key', error.code);
        throw error;
      });
      return reply
        .status(201)
        .header('location', '/api/v1/session')
        .send(callerJson(sessionCaller(begun), begun));
    },
  );
}

function byKey({ id, hash = '', name, role, queues, payloads }: Caller): SignedIn {
  const key = { id, hash };
  return { by: 'key', key, name, role, payloads, ...(queues === undefined ? {} : { queues }) };
}

/** `GET /session`: who makes the request, with a key too. */
export function getCallerRoute(app: FastifyInstance, { db }: Parts): void {
  app.get(
    '/session',
    {
      config: { role: 'viewer', scope: 'none' },
      schema: {
        operationId: 'getSession',
        tags: ['sessions'],
        summary: 'Who makes this request, and what it may do',
        response: { 200: answer('Who it is.', 'Session'), ...problems() },
      },
    },
    async ({ caller }, reply) =>
      reply.send(callerJson(caller, caller.kind === 'session' ? await getSession(db, caller.id) : undefined)),
  );
}

/** `DELETE /session`: signs out. A session that is over already is signed out of too, so that its cookie goes. */
export function signOutRoute(app: FastifyInstance, { sessions, door }: Parts): void {
  app.delete(
    '/session',
    {
      config: { role: 'anyone', scope: 'none', guess: 'session' },
      schema: {
        operationId: 'signOut',
        tags: ['sessions'],
        summary: 'Sign out: the session is over, also its streams and those that its links began',
        response: {
          204: { description: 'It is over, or was.', type: 'null', headers: answerHeaders(['Set-Cookie']) },
          ...problems(409),
        },
      },
    },
    async (request, reply) => {
      if (request.headers.authorization !== undefined) throw new ApiError('no_session', KEY_STAYS);
      const sent = sentSession(request, door);
      if (!sent) return reply.status(204).send();
      refuseOthers(request, sent.site);
      // The browser keeps it for as long as it may let in: where PostgreSQL is away one can sign out again.
      const session = sent.hash === '' ? undefined : await sessions.find(sent.hash);
      if (session) await sessions.end({ session, why: 'signed-out', note: noteOfSession(request, session) });
      takeSession(reply, sent.site);
      // It counts as a guess, of sessions to end alone.
      if (!session) throw new ApiError('unauthorized', 'this session is not known');
      return reply.status(204).send();
    },
  );
}

const KEY_STAYS = 'a key is signed in nowhere: it is taken back with DELETE /api/v1/api-keys/{id}';

function noteOfSession(request: FastifyRequest, session: SessionRecord) {
  return { ...noteOf(request), actor: actorOf(session) };
}

/** `GET /session/ways`: how one can sign in, for the page on which one does. */
export function signInWaysRoute(app: FastifyInstance, { door, oidc }: Parts): void {
  app.get(
    '/session/ways',
    {
      config: { role: 'anyone', scope: 'none', guess: 'nothing' },
      schema: {
        operationId: 'getSignInWays',
        tags: ['sessions'],
        summary: 'How one can sign in',
        response: { 200: answer('The ways.', 'SignInWays'), ...problems() },
      },
    },
    async (request, reply) => {
      const ways: SignInWays = {
        key: siteOf(request, door).origin !== undefined,
        oidc: oidc ? { name: oidc.name, url: OIDC_PATH, signOutUrl: signOutUrlOf(oidc) } : null,
        signedIn: sentSession(request, door) !== undefined,
      };
      return reply.send(ways);
    },
  );
}

function signOutUrlOf({ signsOut }: Pick<Oidc, 'signsOut'>): string | null {
  return signsOut ? `${OIDC_PATH}/sign-out` : null;
}
