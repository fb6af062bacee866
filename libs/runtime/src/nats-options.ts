import type { Config } from './config.ts';

/** Where and as whom a process connects to NATS, in the words of whoever connects. */
export interface NatsOptions {
  readonly servers: string;
  readonly namespace?: string;
  /** Path. */
  readonly credsFile?: string;
  /** Path. */
  readonly caFile?: string;
}

/** What the configuration says about NATS. */
export function natsOptions({ nats, namespace }: Pick<Config, 'nats' | 'namespace'>): NatsOptions {
  return {
    servers: nats.url,
    ...(namespace === undefined ? {} : { namespace }),
    ...(nats.creds === undefined ? {} : { credsFile: nats.creds }),
    ...(nats.ca === undefined ? {} : { caFile: nats.ca }),
  };
}
