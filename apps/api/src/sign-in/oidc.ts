import type { Log, OidcConfig } from '@jetbeat/runtime';
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  calculatePKCECodeChallenge,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { until } from '../live/until.ts';
import { ApiError } from '../problems/problem.ts';
import { type Claims, leavesOpen, meantAsWays, nameFrom, ruleFor, together } from './oidc-claims.ts';
import { failedSignIn, notBegunHere, unavailable, wrong } from './oidc-error.ts';
import type { Provider } from './provider.ts';
import type { Seal } from './sealed.ts';
import type { SignedIn } from './sessions.ts';

/** A sign-in that has begun: what the browser keeps meanwhile, sealed. */
interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly redirectUri: string;
  readonly returnTo: string;
}

/** Signs people in with a provider: authorization code and PKCE (OpenID Connect Core 1.0 §3.1, RFC 9700). */
export interface Oidc {
  /** What people call the provider. */
  readonly name: string;
  /**
   * Where the browser goes to sign in, and what it keeps meanwhile.
   * @param params.redirectUri where it comes back to
   * @param params.returnTo where it goes then
   * @throws ApiError provider_unavailable, provider_wrong
   */
  begin(params: { readonly redirectUri: string; readonly returnTo: string; readonly log: OidcLog }): Promise<{
    readonly location: URL;
    readonly kept: string;
  }>;
  /**
   * The attempt that a browser comes back from.
   * @param params.query what it brings, from `?` on
   * @throws ApiError sign_in_failed where it was not begun there, or too long ago
   */
  attempt(params: { readonly query: string; readonly kept: string | undefined }): Attempt;
  /**
   * Who has signed in.
   * @throws ApiError sign_in_failed, sign_in_refused, not_invited, provider_unavailable, provider_wrong
   */
  end(params: {
    readonly attempt: Attempt;
    readonly query: string;
    readonly log: OidcLog;
  }): Promise<SignedIn>;
  /** Whether who signs out here is to sign out at the provider too. */
  readonly signsOut: boolean;
  /**
   * Where a browser signs out at the provider (OpenID Connect RP-Initiated Logout 1.0), which asks whoever is there: nothing shows it who that is.
   * @param params.backTo where it leads then
   * @returns undefined where the provider has no such page, which is warned of once, or is not to be asked
   * @throws ApiError provider_unavailable, provider_wrong
   */
  signOut(params: { readonly backTo: string; readonly log: OidcLog }): Promise<URL | undefined>;
}

type OidcLog = Pick<Log, 'warn'>;

/** How long a sign-in may take to begin, or to end: a request is answered within 5 s. Milliseconds. */
const PATIENCE_MS = 4_500;
/** Longest name that a provider may have for somebody (OpenID Connect Core 1.0 §2). */
const MAX_SUBJECT = 255;

/** @param params.seal of attempts: what the browser keeps it can neither read nor make */
export function createOidc(params: {
  readonly config: OidcConfig;
  readonly provider: Provider;
  readonly seal: Seal;
}): Oidc {
  const { config, provider, seal } = params;
  let isTold = false;
  /** The setting does nothing then, which nobody who has set it would see. */
  const tellOnce = (log: OidcLog) => {
    if (isTold) return;
    isTold = true;
    log.warn(
      { issuer: config.issuer },
      'the provider says no end_session_endpoint: api.oidc.signOutAtProvider does nothing, and people are told that they may still be signed in there',
    );
  };
  return {
    name: config.name,
    signsOut: config.signOutAtProvider,
    async signOut({ backTo, log }) {
      if (!config.signOutAtProvider) return undefined;
      return inTime(log, async () => {
        const configuration = await provider();
        const { end_session_endpoint: page } = configuration.serverMetadata();
        if (page === undefined) {
          tellOnce(log);
          return undefined;
        }
        return buildEndSessionUrl(configuration, { post_logout_redirect_uri: backTo });
      });
    },
    async begin({ redirectUri, returnTo, log }) {
      const [state, nonce, verifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()];
      const attempt: Attempt = { state, nonce, verifier, redirectUri, returnTo };
      const location = await inTime(log, async () =>
        buildAuthorizationUrl(await provider(), {
          redirect_uri: redirectUri,
          scope: config.scopes.join(' '),
          state,
          nonce,
          code_challenge: await calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
        }),
      );
      return { location, kept: seal.close(JSON.stringify(attempt)) };
    },
    attempt({ query, kept = '' }) {
      const opened = seal.open(kept);
      // Only what was sealed here is read.
      const attempt = opened === undefined ? undefined : (JSON.parse(opened) as Attempt);
      const brought = new URLSearchParams(query).getAll('state');
      if (!attempt || brought.length !== 1 || brought[0] !== attempt.state) throw notBegunHere();
      return attempt;
    },
    async end({ attempt, query, log }) {
      const claims = await inTime(log, () => claimsOf(attempt, query));
      const { sub: subject } = claims;
      const rule = ruleFor(claims, config.roles);
      const name = nameFrom(claims);
      if (!rule) {
        const names = Object.keys(claims).slice(0, 64);
        const ways = meantAsWays(claims, config.roles);
        const hint = ways.map((way) => `${way} is no claim: write [${way.replaceAll('.', ', ')}]`);
        const found = { subject, claims: names, ...(hint.length === 0 ? {} : { hint }) };
        log.warn(found, 'no rule of api.oidc.roles fits somebody who has signed in');
        throw notInvited(config, name);
      }
      const { role, queues, payloads } = rule;
      return {
        by: 'oidc',
        name,
        role,
        payloads,
        issuer: config.issuer,
        subject,
        ...(queues === undefined ? {} : { queues }),
      };
    },
  };

  async function claimsOf(attempt: Attempt, query: string): Promise<Claims & { readonly sub: string }> {
    const { redirectUri, state, nonce, verifier } = attempt;
    const configuration = await provider();
    const url = new URL(redirectUri);
    url.search = query;
    const tokens = await authorizationCodeGrant(configuration, url, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims || claims.sub.length > MAX_SUBJECT) throw wrong();
    const { userinfo_endpoint: more } = configuration.serverMetadata();
    if (more === undefined || !leavesOpen(claims, config.roles)) return claims;
    const asked = await fetchUserInfo(configuration, tokens.access_token, claims.sub);
    return { ...together(claims, asked), sub: claims.sub };
  }
}

/** No tokens are kept: whoever waits no more has them neither. */
async function inTime<Value>(log: OidcLog, act: () => Promise<Value>): Promise<Value> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await until(signal, act());
  } catch (thrown) {
    const failed = failedSignIn(thrown === signal.reason ? unavailable() : thrown);
    if (!failed) throw thrown;
    log.warn({ code: failed.error.code, why: failed.why }, 'a sign-in with the provider came to nothing');
    throw failed.error;
  }
}

function notInvited({ name }: OidcConfig, who: string): ApiError {
  const message = `${name} knows you as ${JSON.stringify(who)}, but nobody has said here what you may do: ask who runs this installation for a rule in api.oidc.roles`;
  return new ApiError('not_invited', message);
}
