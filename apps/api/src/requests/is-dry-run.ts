import type { FastifyRequest } from 'fastify';

/** Whether a request only asks what would be done. */
export function isDryRun({ body }: Pick<FastifyRequest, 'body'>): boolean {
  return (body as { readonly dryRun?: unknown } | undefined)?.dryRun === true;
}
