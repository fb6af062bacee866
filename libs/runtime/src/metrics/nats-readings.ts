import type { Readings } from './reading.ts';

/** What is looked at of a connection to NATS. */
interface Connection {
  readonly connected: boolean;
  onReconnect(fn: () => void): () => void;
}

/** Measures a connection, for as long as it lives. */
export function measureNats(connection: Connection): () => Readings {
  let reconnects = 0;
  connection.onReconnect(() => {
    reconnects += 1;
  });
  return () => ({
    jetbeat_nats_connected: connection.connected ? 1 : 0,
    jetbeat_nats_reconnects_total: reconnects,
  });
}
