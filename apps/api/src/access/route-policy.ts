import type { FastifyInstance } from 'fastify';
import { SIGN_IN_LIMIT } from '../requests/body-limit.ts';
import type { Role } from './api-key.ts';

/**
 * How a route is held to the queues of a key that is for some queues only.
 * - `none`: nothing of any queue is read or changed.
 * - `every`: it is of all queues at once, so that such a key is refused.
 * - `list`: its handler leaves out what is not of these queues.
 * - `new`: its handler refuses what would go into another queue.
 * - `batch`, `worker`: its handler looks it up with the caller's queues.
 * - all others: the path names the thing, and before the handler is asked it is not there for a key that has not its queue.
 */
export type RouteScope =
  | 'none'
  | 'every'
  | 'list'
  | 'new'
  | 'queue'
  | 'job'
  | 'schedule'
  | 'dead-letter'
  | 'task'
  | 'batch'
  | 'worker';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. `anyone`: whoever is there, so that its handler finds out itself who that is: there is no caller. */
    role?: Role | 'anyone';
    /** How it is held to the queues of the caller. */
    scope?: RouteScope;
    /**
     * What is tried out there, so that whoever has tried too often is not heard: `key`, keys, sessions and codes, is what holds where nothing
     * is said; `way-back`, codes of the provider, which others with wrong keys at the same address do not keep from signing in; `session`, the
     * session that is to end, likewise; `nothing`.
     */
    guess?: 'key' | 'way-back' | 'session' | 'nothing';
  }
}

/**
 * From here on every route must say who may call it and what of the queues it shows. Of those that are for anyone no long body is read.
 * @throws Error at start for a route that does not: none is open by forgetting
 */
export function needPolicy(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const { method, url, config } = route;
    const missing = config?.role === undefined ? 'role' : config.scope === undefined ? 'scope' : undefined;
    if (missing !== undefined)
      throw new Error(
        `the route ${String(method)} ${url} names no ${missing} in its config: see route-policy.ts`,
      );
    if (config?.role === 'anyone')
      route.bodyLimit = Math.min(route.bodyLimit ?? SIGN_IN_LIMIT, SIGN_IN_LIMIT);
    // The description tells it, and so does whoever walks through it.
    route.schema = {
      ...route.schema,
      ...(config?.role === 'anyone' ? { security: [] } : {}),
      'x-jetbeat-role': config?.role,
      'x-jetbeat-scope': config?.scope,
    } as object;
  });
}
