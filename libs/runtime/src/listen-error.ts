/** A server cannot listen where it was told to; the message names the setting that changes it. */
export class ListenError extends Error {
  readonly code = 'cannot_listen';

  constructor(message: string) {
    super(message);
    this.name = 'ListenError';
  }
}

/**
 * Turns an error of `listen` into one that says what to set; any other error stays what it is.
 * @param params.setting the environment variable that the port comes from
 */
export function toListenError(
  thrown: unknown,
  params: { host: string; port: number; setting: 'JETBEAT_PORT' | 'JETBEAT_HEALTH_PORT' },
): unknown {
  const { host, port, setting } = params;
  switch ((thrown as { code?: unknown } | null)?.code) {
    case 'EADDRINUSE':
      return new ListenError(
        `port ${port} of ${host} is in use: end what listens there, or set ${setting} to another one (0 takes a free one)`,
      );
    case 'EACCES':
      return new ListenError(
        `this user may not listen on port ${port}: set ${setting} to another one (0 takes a free one)`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ListenError(`this machine has no address ${host}: set JETBEAT_HOST to one that it has`);
    default:
      return thrown;
  }
}
