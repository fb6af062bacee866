import { readFile } from 'node:fs/promises';
import { JetbeatError } from '@jetbeat/core';
import { Client, DatabaseError } from 'pg';

/** A database, as the configuration names it: by one of the two. */
export interface PostgresConnection {
  readonly url?: string;
  /** File with the URL. */
  readonly urlFile?: string;
}

/** The database could not be asked, or said no for now; the next attempt may do better. */
export class PostgresError extends JetbeatError {}

/** One session, for one job. */
export interface PostgresSession {
  rows<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Ends what runs, and the session. Twice is safe. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const CANCEL_TIMEOUT_MS = 5_000;
/** How soon a server notices that the worker was killed (PostgreSQL 14 and newer, on Linux and some others). */
const CHECK_INTERVAL = "set client_connection_check_interval = '5s'";

/**
 * Opens a session that an abort ends, on the server as well: closing a connection alone stops no VACUUM.
 * @throws PostgresError when the database cannot be reached
 */
export async function openSession(
  connection: PostgresConnection,
  signal: AbortSignal,
): Promise<PostgresSession> {
  const url = await urlOf(connection);
  const client = connect(url);
  let backend: number | undefined;
  let isBusy = false;
  const stopped = Promise.withResolvers<never>();
  // Whoever waits for a statement hears of it; nobody may.
  stopped.promise.catch(() => undefined);
  const onAbort = () => {
    stopped.reject(signal.reason);
    void close();
  };
  let closed: Promise<void> | undefined;
  const end = async () => {
    signal.removeEventListener('abort', onAbort);
    if (isBusy && backend !== undefined) await cancel(url, backend);
    await within(CANCEL_TIMEOUT_MS, client.end()).catch(() => undefined);
  };
  const close = () => (closed ??= end());

  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    await Promise.race([client.connect(), stopped.promise]);
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    backend = rows[0]?.pid;
    // An older server, or one on a system without it, does without.
    await client.query(CHECK_INTERVAL).catch(() => undefined);
  } catch (error) {
    await close();
    throw signal.aborted ? signal.reason : unreachable(error);
  }
  return {
    async rows<Row>(text: string, values: readonly unknown[] = []) {
      signal.throwIfAborted();
      isBusy = true;
      try {
        const asking = client.query(text, [...values]);
        asking.catch(() => undefined);
        const { rows } = await Promise.race([asking, stopped.promise]);
        return rows as Row[];
      } finally {
        // After an abort the statement still runs; `close` cancels it.
        if (!signal.aborted) isBusy = false;
      }
    },
    close,
  };
}

/** The code of an error of the server (SQLSTATE), for others nothing. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

/** Asks the server on a connection of its own; a server that does not answer is left. */
async function cancel(url: string, backend: number): Promise<void> {
  const client = connect(url);
  const asking = (async () => {
    await client.connect();
    await client.query('select pg_cancel_backend($1)', [backend]);
  })();
  await within(CANCEL_TIMEOUT_MS, asking).catch(() => undefined);
  await within(CANCEL_TIMEOUT_MS, client.end()).catch(() => undefined);
}

function connect(url: string): Client {
  try {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'jetbeat postgres.maintenance',
    });
    // A connection that breaks while nothing is asked must not end the process.
    client.on('error', () => undefined);
    return client;
  } catch {
    // The cause may repeat the URL, and there is a password in it.
    throw new PostgresError('postgres_url_unusable', 'the URL of the connection cannot be read');
  }
}

async function urlOf({ url, urlFile }: PostgresConnection): Promise<string> {
  if (urlFile === undefined) return url ?? '';
  try {
    return (await readFile(urlFile, 'utf8')).trim();
  } catch (cause) {
    throw new PostgresError('postgres_url_unusable', `cannot read ${urlFile}, which jetbeat.yaml names`, {
      cause,
    });
  }
}

function unreachable(cause: unknown): PostgresError {
  return new PostgresError('postgres_unreachable', 'cannot reach the database', { cause });
}

async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms, undefined);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
