/** The server of one run of a peer. */
export interface PeerServer {
  readonly url: string;
  /** Its name and version. */
  readonly version: string;
  /** The number that a Redis command or an SQL query answers. */
  count(ask: string): Promise<number>;
  stop(): Promise<void>;
}
