import { type HostRule, type HttpAllowance, hostRule } from './host-rule.ts';
import type { HttpClient, Resolve } from './http-client.ts';

/** What `http.request` goes out by. */
export interface HttpAgent {
  readonly rule: HostRule;
  /** Its connections; loaded for the first request, since a worker that makes none starts sooner without. */
  readonly client: () => Promise<HttpClient>;
  readonly close: () => Promise<void>;
}

/**
 * Makes the agent.
 * @throws InvalidInputError when an allowed host is none
 */
export function openHttpAgent(allowance: HttpAllowance, resolve?: Resolve): HttpAgent {
  const rule = hostRule(allowance);
  let opened: Promise<HttpClient> | undefined;
  const open = async () => (await import('./http-client.ts')).openHttpClient(rule, resolve);
  let closed: Promise<void> | undefined;
  const close = async () => (await opened)?.close();
  return {
    rule,
    client: () => (opened ??= open()),
    close: () => (closed ??= close()),
  };
}
