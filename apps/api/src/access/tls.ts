import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type Server } from 'node:tls';
import { type ApiConfig, ConfigError, type Log } from '@jetbeat/runtime';

/** How often it is looked whether there is another certificate, milliseconds. */
const LOOK_MS = 30_000;

type Files = NonNullable<ApiConfig['tls']>;

/** What a server needs to speak https. */
export interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly minVersion: 'TLSv1.2';
}

/**
 * Reads certificate and key.
 * @throws ConfigError for files that cannot be read, or do not belong together
 */
export async function readTls({ cert, key }: Files): Promise<Tls> {
  const read = (path: string, setting: string) =>
    readFile(path).catch((error: Error) => {
      throw new ConfigError([`${setting}: cannot read ${JSON.stringify(path)}: ${error.message}`]);
    });
  const tls = {
    cert: await read(cert, 'api.tls.cert (JETBEAT_TLS_CERT)'),
    key: await read(key, 'api.tls.key (JETBEAT_TLS_KEY)'),
    minVersion: 'TLSv1.2' as const,
  };
  try {
    createSecureContext(tls);
  } catch (error) {
    throw new ConfigError([
      `api.tls: ${cert} and ${key} are no certificate and its key: ${(error as Error).message}`,
    ]);
  }
  return tls;
}

/**
 * Takes up a new certificate without a restart; one that cannot be used is logged, and the old one holds.
 * @param params.loaded what the server has; the files may be others since then, which the first look finds
 */
export function followTls(
  server: Pick<Server, 'setSecureContext'>,
  params: { readonly files: Files; readonly loaded: Tls; readonly log: Pick<Log, 'info' | 'error'> },
): { look(): Promise<void>; stop(): void } {
  const { files, log } = params;
  const stateOf = async () => {
    const states = await Promise.all([files.cert, files.key].map((path) => stat(path)));
    return states.map(({ mtimeMs, ino, size }) => `${mtimeMs} ${ino} ${size}`).join();
  };
  let last: string | undefined;
  let { loaded } = params;
  const look = async () => {
    try {
      const state = await stateOf();
      if (state === last) return;
      const found = await readTls(files);
      if (!found.cert.equals(loaded.cert) || !found.key.equals(loaded.key)) {
        server.setSecureContext(found);
        loaded = found;
        log.info({ cert: files.cert }, 'a new certificate holds');
      }
      // That of before they were read: what has come since is found by the next look.
      last = state;
    } catch (err) {
      log.error({ err }, 'the certificate cannot be read anew: the one before holds');
    }
  };
  void look();
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  return { look, stop: () => clearInterval(timer) };
}
