import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';

const FOLDER = join(import.meta.dirname, 'page');
const FILES = [
  { path: '/sign-in', file: 'sign-in.html', type: 'text/html; charset=utf-8' },
  { path: '/sign-in/sign-in.css', file: 'sign-in.css', type: 'text/css; charset=utf-8' },
  { path: '/sign-in/sign-in.js', file: 'sign-in.js', type: 'text/javascript; charset=utf-8' },
] as const;

/** The page on which people sign in, with its own files and nothing from elsewhere. */
export async function signInPage(app: FastifyInstance): Promise<void> {
  for (const { path, file, type } of FILES) {
    const text = await readFile(join(FOLDER, file));
    app.get(path, { schema: { hide: true } }, (_request, reply) => reply.type(type).send(text));
  }
}
