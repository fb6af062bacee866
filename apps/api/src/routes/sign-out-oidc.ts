import type { FastifyInstance } from 'fastify';
import type { Parts } from '../parts.ts';
import { problems } from '../problems/problem-responses.ts';
import { siteOf } from '../sign-in/site.ts';
import { codeForPeople, configured, MOVED, originOf } from './sign-in-oidc.ts';

const PAGE = '/sign-in';
/** Says that one may still be signed in at the provider. */
const HERE_ALONE = `${PAGE}#error=signed_out_here`;

/**
 * `GET /session/oidc/sign-out`: on to the provider, for whoever has signed out here. It ends no session here, so that links of other sites may
 * lead to it: they could as well lead to the provider itself, which asks before it signs anybody out.
 */
export function signOutOidcRoute(app: FastifyInstance, { oidc, door }: Parts): void {
  app.get(
    '/session/oidc/sign-out',
    {
      config: { role: 'anyone', scope: 'none', guess: 'nothing' },
      errorHandler(thrown, request, reply) {
        const isBusy = codeForPeople(thrown, request) !== 'oidc_not_configured';
        // It comes after signing out here, of which nothing is taken back.
        void reply.redirect(isBusy ? HERE_ALONE : PAGE, 303);
      },
      schema: {
        operationId: 'signOutOfOidc',
        tags: ['sessions'],
        summary: 'Sign out at the provider too, where the configuration wants it: leads the browser there',
        description:
          'The session here is ended by `DELETE /session`, before. The provider leads back to `/sign-in`, where that is registered there.',
        security: [],
        response: {
          302: MOVED('To the provider.'),
          303: MOVED(
            'To the page to sign in: the provider has no such page, or is not to be asked; or cannot be.',
          ),
          ...problems(404, 502),
        },
      },
    },
    async (request, reply) => {
      const provider = configured(oidc);
      const backTo = `${originOf(siteOf(request, door))}${PAGE}`;
      const url = await provider.signOut({ backTo, log: request.log });
      if (url) return reply.redirect(url.href, 302);
      return reply.redirect(provider.signsOut ? HERE_ALONE : PAGE, 303);
    },
  );
}
