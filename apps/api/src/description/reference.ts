import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'reference');

/** What the reference shows beside the description: as whom its requests are made. */
export async function referenceFiles() {
  const read = async (filename: string) => ({
    filename,
    content: await readFile(join(FOLDER, filename), 'utf8'),
  });
  return { js: [await read('who.js')], css: [await read('who.css')] };
}

/** A request that the reference makes. */
interface Asked {
  readonly url?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  curlOptions?: string[];
}

/**
 * Puts a key into the `curl` that the reference shows for a request, where it needs one and has none: a browser that is signed in sends a
 * cookie, of which a shell has nothing. The page is given its text, so that it uses nothing from around it.
 */
export function showKey(asked: Asked): Asked {
  const path = new URL(asked.url ?? '', 'http://localhost').pathname;
  const { method = 'GET', headers = {} } = asked;
  const isOpen =
    !path.startsWith('/api/v1/') ||
    /^\/api\/v1\/session\/(ways|oidc)/.test(path) ||
    (path === '/api/v1/session' && method.toUpperCase() !== 'GET');
  const hasKey = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  asked.curlOptions = isOpen || hasKey ? [] : ['-H "Authorization: Bearer $JETBEAT_API_KEY"'];
  return asked;
}
