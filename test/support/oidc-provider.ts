import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type KoaContext, Provider } from 'oidc-provider';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';

/** Somebody whom the provider knows; what it says of her beside. */
interface Person {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

/** An OpenID Connect provider of its own, on this machine. */
export interface TestProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who signs in from now on; undefined: whoever is there refuses. */
  person: Person | undefined;
  /** From now on it is asked in vain, until what is returned is called. */
  goAway(): () => void;
  /** Paths that were asked for, without queries. */
  readonly asked: string[];
  stop(): Promise<void>;
}

/** The page that asks whether one wants to sign out; without one of ours the package complains on the console. */
const logoutSource = (context: { body: string }, form: string) => {
  context.body = form;
};
const SCOPES = 'openid profile email groups';

/**
 * Starts one. Nobody has to type anything: who signs in is `person`.
 * @param params.backTo where it sends browsers back to; on this machine to any port
 * @param params.signedOut where it leads who has signed out there; absent: nobody is led there to sign out
 * @param params.inToken it says all of a person in the token that it signs, and not only when it is asked for more
 */
export async function startProvider(params: {
  backTo: string;
  inToken?: boolean;
  signedOut?: string;
}): Promise<TestProvider> {
  const { backTo, inToken = false, signedOut } = params;
  let handle: (request: IncomingMessage, response: ServerResponse) => void = () => {};
  let isAway = false;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push((request.url ?? '').replace(/\?.*/, ''));
    if (isAway) response.writeHead(503).end();
    else handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clientSecret = randomBytes(32).toString('base64url');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const isHere = new URL(backTo).protocol === 'http:';
  const provider: Provider = new Provider(issuer, {
    adapter: createMemoryAdapter(15),
    clients: [
      {
        client_id: 'jetbeat',
        client_secret: clientSecret,
        redirect_uris: [backTo],
        post_logout_redirect_uris: signedOut === undefined ? [] : [signedOut],
        application_type: isHere ? 'native' : 'web',
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'one' }] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    claims: {
      openid: ['sub'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
      groups: ['groups', 'realm_access'],
    },
    scopes: SCOPES.split(' '),
    conformIdTokenClaims: !inToken,
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: signedOut !== undefined, logoutSource },
    },
    interactions: { url: () => '/who' },
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: async () => ({ ...found.person, sub }),
    }),
    async loadExistingGrant({ oidc }: KoaContext) {
      const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope(SCOPES);
      await grant.save();
      return grant;
    },
    ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
  });
  const serve = provider.callback();
  const askWho = async (request: IncomingMessage, response: ServerResponse) => {
    const { prompt } = await provider.interactionDetails(request, response);
    const refuses = { error: 'access_denied', error_description: '<script>alert(1)</script>' };
    const login = found.person ? { login: { accountId: found.person.sub } } : refuses;
    await provider.interactionFinished(request, response, prompt.name === 'login' ? login : { consent: {} });
  };
  handle = (request, response) => {
    const answering = request.url?.startsWith('/who') ? askWho(request, response) : serve(request, response);
    answering.catch((error: unknown) => response.writeHead(500).end(String(error)));
  };
  const found: TestProvider = {
    issuer,
    clientId: 'jetbeat',
    clientSecret,
    asked,
    person: undefined,
    goAway() {
      isAway = true;
      return () => {
        isAway = false;
      };
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return found;
}
