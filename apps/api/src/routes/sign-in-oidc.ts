import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { Edges } from '../edges/edges.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { problems } from '../problems/problem-responses.ts';
import { toApiError } from '../problems/to-api-error.ts';
import { attemptCookie } from '../sign-in/attempt-cookie.ts';
import type { Oidc } from '../sign-in/oidc.ts';
import { returnPath } from '../sign-in/return-path.ts';
import { sentSession } from '../sign-in/session-cookie.ts';
import { type Site, siteOf } from '../sign-in/site.ts';

const BEGIN = '/session/oidc';
const BACK = '/session/oidc/callback';

const BEGIN_QUERY = Type.Object(
  {
    returnTo: Type.Optional(
      Type.String({
        maxLength: 2_048,
        examples: ['/docs'],
        description: 'Where the browser goes then: a page of this server; anything else leads to `/`.',
      }),
    ),
  },
  { additionalProperties: false },
);
/** Providers add what they like; each of it once. */
const BACK_QUERY = Type.Object(
  {
    code: Type.Optional(Type.String({ maxLength: 8_192 })),
    state: Type.Optional(Type.String({ maxLength: 1_024 })),
    iss: Type.Optional(Type.String({ maxLength: 2_048 })),
    error: Type.Optional(Type.String({ maxLength: 1_024 })),
  },
  { additionalProperties: true },
);
/** The answer that leads a browser on. */
export const MOVED = (description: string) => ({
  description,
  type: 'null',
  headers: { location: { type: 'string' }, 'set-cookie': { type: 'string' } },
});

/**
 * `GET /session/oidc`, and where the provider sends the browser back to. Neither lets in by a cookie of a session, so that both are open to
 * links of other sites: what is begun in one browser is ended there alone.
 */
export function oidcRoutes(app: FastifyInstance, parts: Parts & Pick<Edges, 'failed'>): void {
  const { oidc, sessions, door, failed } = parts;
  const config = { role: 'anyone', scope: 'none', guess: 'nothing' } as const;
  /** Some providers ask nothing: a page of another site could end the session that there is. Whoever has one is asked first. */
  const isLedFromElsewhere = async (request: FastifyRequest): Promise<boolean> => {
    const from = request.headers['sec-fetch-site'];
    if (from !== 'cross-site' && from !== 'same-site') return false;
    const sent = sentSession(request, door);
    return sent !== undefined && (await sessions.find(sent.hash))?.live === true;
  };
  app.get<{ Querystring: { returnTo?: string } }>(
    BEGIN,
    {
      config,
      errorHandler: tellPeople,
      schema: {
        operationId: 'beginOidcSignIn',
        tags: ['sessions'],
        summary: 'Sign in with the provider of the configuration: leads the browser there',
        security: [],
        querystring: BEGIN_QUERY,
        response: {
          302: MOVED('To the provider.'),
          303: MOVED(
            'People: to the page that says what is wrong; who is signed in, and was led here by another site: to the page that asks.',
          ),
          ...problems(404, 502),
        },
      },
    },
    async (request, reply) => {
      const provider = configured(oidc);
      const site = siteOf(request, door);
      if (await isLedFromElsewhere(request)) return reply.redirect('/sign-in', 303);
      const redirectUri = `${originOf(site)}/api/v1${BACK}`;
      const returnTo = returnPath(request.query.returnTo);
      const { location, kept } = await provider.begin({ redirectUri, returnTo, log: request.log });
      attemptCookie(site).write(reply, kept);
      return reply.redirect(location.href, 302);
    },
  );
  app.get(
    BACK,
    {
      config: { ...config, guess: 'way-back' },
      errorHandler(thrown, request, reply) {
        const { code } = toApiError(thrown);
        if (oidc) sessions.failed(request, 'oidc', code);
        tellPeople(thrown, request, reply);
      },
      schema: {
        operationId: 'endOidcSignIn',
        tags: ['sessions'],
        summary: 'Where the provider sends the browser back to: begins the session',
        security: [],
        querystring: BACK_QUERY,
        response: {
          303: MOVED('Signed in; or, for people, to the page that says what is wrong.'),
          ...problems(404, 502),
        },
      },
    },
    async (request, reply) => {
      const provider = configured(oidc);
      const cookie = attemptCookie(siteOf(request, door));
      const query = request.url.slice(request.url.indexOf('?') + 1);
      const attempt = provider.attempt({ query, kept: cookie.read(request) });
      // It is used once, whatever becomes of it.
      cookie.clear(reply);
      const who = await provider.end({ attempt, query, log: request.log }).catch((error: unknown) => {
        // As a wrong key does: each is asked of the provider. What was not begun here is asked of nobody, and a page of another site can send it.
        if (toApiError(error).code !== 'provider_unavailable') failed(request);
        throw error;
      });
      await sessions.begin({ request, reply, who });
      return reply.redirect(attempt.returnTo, 303);
    },
  );
}

/** @throws ApiError oidc_not_configured */
export function configured(oidc: Oidc | undefined): Oidc {
  if (oidc) return oidc;
  const message =
    'nobody signs in with a provider here: api.oidc of the configuration names none. Sign in with a key';
  throw new ApiError('oidc_not_configured', message);
}

/** What browsers call this server. @throws ApiError sign_in_insecure */
export function originOf({ origin }: Site): string {
  if (origin !== undefined) return origin;
  const message =
    'over plain http people sign in on this machine alone: use https, and say in api.publicUrl what browsers call this server';
  throw new ApiError('sign_in_insecure', message);
}

/** Whoever looks at pages is led to one that says what is wrong, and is told it by its code alone; programs are told it as always. */
function tellPeople(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const code = codeForPeople(thrown, request);
  void reply.redirect(`/sign-in#error=${code}`, 303);
}

/** The code of what is wrong, for whoever looks at pages. @throws what is wrong, for programs, or where it is our mistake */
export function codeForPeople(thrown: unknown, request: FastifyRequest): string {
  const { code } = toApiError(thrown);
  if (code === 'internal_error' || !request.headers.accept?.includes('text/html')) throw thrown;
  request.log.info({ method: request.method, path: request.routeOptions.url, code }, 'a request was refused');
  return code;
}
