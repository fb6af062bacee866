import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Site } from './site.ts';

/** How long somebody may take to sign in with the provider, seconds. */
export const ATTEMPT_SECONDS = 600;

/** Where a browser keeps the sign-in that it has begun: one at a time, so that the one that was begun last can be ended. */
export interface AttemptCookie {
  read(request: Pick<FastifyRequest, 'cookies'>): string | undefined;
  write(reply: FastifyReply, kept: string): void;
  clear(reply: FastifyReply): void;
}

/** Named as the cookie of a session, for the same reasons. The way back comes from another site: it is sent then with `SameSite=Lax`. */
export function attemptCookie({ cookie, secure }: Site): AttemptCookie {
  const name = `${cookie}-attempt`;
  const options = { secure, httpOnly: true, sameSite: 'lax', path: '/' } as const;
  return {
    read: ({ cookies }) => cookies[name],
    write: (reply, kept) => void reply.setCookie(name, kept, { ...options, maxAge: ATTEMPT_SECONDS }),
    clear: (reply) => void reply.clearCookie(name, options),
  };
}
