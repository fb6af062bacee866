import type { Session } from '@jetbeat/core/http';
import { type ProblemJson, startTestApi, type TestApi } from './api.ts';
import { type Browser, openBrowser } from './browser.ts';
import { startProvider, type TestProvider } from './oidc-provider.ts';

/** Where browsers find Jetbeat, behind a proxy that ends https. */
export const HOME = 'https://jetbeat.example.org';
/** Where a sign-in with the provider begins, and where the provider sends browsers back to. */
export const BEGIN = `${HOME}/api/v1/session/oidc`;
const BACK = `${BEGIN}/callback`;
/** The cookies. */
export const SESSION = '__Host-jetbeat';
export const ATTEMPT = '__Host-jetbeat-attempt';
/** What programs ask for. */
const JSON_PLEASE = { accept: 'application/json' };

/** Two APIs behind one proxy, and a provider. */
export interface OidcSite {
  readonly provider: TestProvider;
  readonly api: TestApi;
  /** From now on the proxy asks the first, or the second. */
  ask(replica: 0 | 1): void;
  browser(): Browser;
  stop(): Promise<void>;
}

/**
 * @param roles the rules of `api.oidc.roles`
 * @param options.signOut who signs out is led to the provider, and from there back to the page to sign in
 */
export async function startOidcSite(
  roles: readonly object[],
  { signOut = false }: { readonly signOut?: boolean } = {},
): Promise<OidcSite> {
  const provider = await startProvider({
    backTo: BACK,
    ...(signOut ? { signedOut: `${HOME}/sign-in` } : {}),
  });
  const { issuer, clientId, clientSecret } = provider;
  const scopes = ['openid', 'profile', 'email', 'groups'];
  const client = { issuer, clientId, clientSecret, name: 'Company login', scopes };
  const oidc = { ...client, signOutAtProvider: signOut, roles };
  const yaml = JSON.stringify({
    api: { publicUrl: HOME, trustedProxies: ['127.0.0.1'], rateLimits: { failures: null }, oidc },
  });
  const api = await startTestApi({ yaml });
  const urls = [api.http.url, (await api.beside()).url] as const;
  let asked = urls[0];
  return {
    provider,
    api,
    ask: (replica) => {
      asked = urls[replica];
    },
    browser: () => openBrowser((origin) => (origin === HOME ? asked : origin)),
    async stop() {
      await api.stop();
      await provider.stop();
    },
  };
}

/** Whether an address is the one that the provider sends browsers back to. */
export function isBack(url: URL): boolean {
  return url.href.startsWith(BACK);
}

/** Goes the way up to where the provider sends it back, and not further. */
export async function upToBack(one: Browser, begin = BEGIN): Promise<URL> {
  return (await one.go(begin, { until: isBack })).url;
}

/** Who is signed in. */
export async function whoIs(one: Browser): Promise<Session> {
  const { status, body } = await one.go(`${HOME}/api/v1/session`, { headers: JSON_PLEASE });
  if (status !== 200) throw new Error(`nobody is signed in: ${body}`);
  return JSON.parse(body) as Session;
}

/** What a program is told. */
export async function toldOf(one: Browser, url: string | URL) {
  const { status, body, headers } = await one.go(String(url), { headers: JSON_PLEASE });
  return { status, headers, problem: JSON.parse(body) as ProblemJson };
}
