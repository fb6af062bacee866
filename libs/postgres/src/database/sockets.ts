/** The longest that closing waits for what is still running. */
const CLOSE_MS = 5_000;

/** A connection of the driver, as far as its end is concerned. */
interface Client {
  readonly connection?: { readonly stream?: { destroy(): void } };
}

/** The events of the driver's pool that tell which connections there are. */
interface WatchedPool {
  on(event: 'connect' | 'remove', listener: (client: Client) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * Knows every connection of a pool: the pool itself counts one as closed before its socket is, and waits for ever when the
 * server has stopped answering. `onLost` hears of connections that broke while nobody used them.
 */
export function openSockets(onLost: (error: Error) => void) {
  const clients = new Set<Client>();
  let allGone: (() => void) | undefined;
  return {
    watch(pool: WatchedPool): void {
      pool.on('error', onLost);
      pool.on('connect', (client) => clients.add(client));
      pool.on('remove', (client) => {
        clients.delete(client);
        if (clients.size === 0) allGone?.();
      });
    },
    /** Waits until the pool is closed and its sockets are; cuts those that are left after 5 s. */
    async closeWithin(closed: Promise<void>): Promise<void> {
      const cut = setTimeout(() => {
        for (const client of clients) client.connection?.stream?.destroy();
      }, CLOSE_MS);
      const gone = new Promise<void>((resolve) => {
        if (clients.size === 0) resolve();
        else allGone = resolve;
      });
      try {
        await Promise.all([closed, gone]);
      } finally {
        clearTimeout(cut);
      }
    },
  };
}
