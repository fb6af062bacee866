import Type, { type Static } from 'typebox';
import { ConfigError } from './config-error.ts';
import { isOwnMachine } from './own-machine.ts';

const closed = { additionalProperties: false } as const;
/** As keys are called: it is shown in pages, terminals and logs. */
const PLAIN = '^[^\\u0000-\\u001f\\u007f-\\u009f]+$';
const Text = (maxLength: number, description: string, options: object = {}) =>
  Type.String({ minLength: 1, maxLength, pattern: PLAIN, description, ...options });

const RULE = Type.Object(
  {
    claim: Type.Union(
      [
        Text(256, 'Its name, as the provider writes it: dots and slashes are part of it.', {
          examples: ['groups'],
        }),
        Type.Array(Text(256, 'Of an object the name of what stands in it.', { examples: ['roles'] }), {
          minItems: 1,
          maxItems: 8,
          description: 'The way to what stands within objects, from outside.',
          examples: [['realm_access', 'roles']],
        }),
      ],
      {
        description:
          'Which claim. An address (`email`) counts only where the provider says beside it that it has verified it (`email_verified`).',
      },
    ),
    equals: Text(1_024, 'What it is, exactly; of a claim that is a list, one of its items.', {
      examples: ['jetbeat-admins'],
    }),
    role: Type.Enum(['viewer', 'operator', 'admin'], { description: 'What whoever has it may do.' }),
    queues: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', examples: ['mail'] }), {
        minItems: 1,
        maxItems: 256,
        uniqueItems: true,
        description: 'They see and touch these queues alone; without it all of them.',
      }),
    ),
    payloads: Type.Optional(
      Type.Boolean({
        default: true,
        description: 'False: they see no inputs, results, notes and stack traces.',
      }),
    ),
  },
  closed,
);

/** Whom people sign in with, and what they may do then. */
export const OIDC_SECTION = Type.Object(
  {
    issuer: Type.String({
      pattern: '^https?://[^?#@\\s]+$',
      maxLength: 2_048,
      examples: ['https://login.example.org/realms/company'],
      description:
        'The provider, as it calls itself in `/.well-known/openid-configuration`. Plain http only on this machine.',
    }),
    clientId: Text(512, 'What the provider calls this installation.'),
    clientSecret: Type.Optional(
      Text(
        4_096,
        'Better in `clientSecretFile`. Without one this is a public client, and PKCE alone guards.',
      ),
    ),
    clientSecretFile: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4_096,
        description: 'File with the secret; a new one is taken up within an hour.',
      }),
    ),
    clientAuth: Type.Optional(
      Type.Enum(['basic', 'post'], {
        description:
          'How the secret is sent: `client_secret_basic` or `client_secret_post`. By default the first, unless the provider says that it takes the second alone.',
      }),
    ),
    name: Type.Optional(
      Text(64, 'What people call it, for the page on which they sign in. By default its host.', {
        examples: ['Company login'],
      }),
    ),
    scopes: Type.Optional(
      Type.Array(Type.String({ pattern: '^[!#-\\[\\]-~]{1,256}$', examples: ['groups'] }), {
        minItems: 1,
        maxItems: 32,
        uniqueItems: true,
        default: ['openid', 'profile', 'email'],
        description: 'What is asked for; `openid` is one of them.',
      }),
    ),
    signOutAtProvider: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'Who signs out here on the page is led to the provider to sign out there too, which may be of everything else.',
      }),
    ),
    roles: Type.Array(RULE, {
      minItems: 1,
      maxItems: 1_000,
      description:
        'Who may do what. The first rule that fits counts; whom none fits is not let in, whoever the provider says it is.',
    }),
  },
  { ...closed, description: 'Signing in with an OpenID Connect provider, beside signing in with a key.' },
);

type Section = Static<typeof OIDC_SECTION>;

/** What somebody may do of whom the provider says `claim`. */
export interface OidcRule {
  /** Its name; or the way to it through objects, from outside. */
  readonly claim: string | readonly string[];
  readonly equals: string;
  readonly role: Section['roles'][number]['role'];
  /** Absent: all of them. */
  readonly queues?: readonly string[];
  readonly payloads: boolean;
}

/** Whom people sign in with, every default filled in. */
export interface OidcConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  /** Path of a file. */
  readonly clientSecretFile?: string;
  readonly clientAuth?: 'basic' | 'post';
  /** For people. */
  readonly name: string;
  readonly scopes: readonly string[];
  /** Signing out on the page leads to the provider's. */
  readonly signOutAtProvider: boolean;
  readonly roles: readonly OidcRule[];
}

const PLACE = 'api.oidc';

/**
 * Fills in the defaults.
 * @throws ConfigError with one line for every mistake that the schema cannot find
 */
export function oidcSection(section: Section): OidcConfig {
  const { issuer, clientId, clientSecret, clientSecretFile, clientAuth, roles } = section;
  const { scopes = ['openid', 'profile', 'email'], signOutAtProvider = false } = section;
  const url = URL.parse(issuer);
  const problems: string[] = [];
  const wrong = (place: string, why: string) => problems.push(`${PLACE}.${place}${why}`);
  const shown = JSON.stringify(issuer.slice(0, 80));
  if (!url) wrong('issuer', ` (JETBEAT_OIDC_ISSUER) is no address: ${shown}`);
  else if (url.protocol === 'http:' && !isOwnMachine(url.hostname))
    wrong('issuer', ` (JETBEAT_OIDC_ISSUER) must begin with https:// unless it is this machine: ${shown}`);
  if (clientSecret !== undefined && clientSecretFile !== undefined)
    wrong(
      'clientSecret',
      ` (JETBEAT_OIDC_CLIENT_SECRET) and ${PLACE}.clientSecretFile are both set: keep one`,
    );
  if (clientAuth !== undefined && clientSecret === undefined && clientSecretFile === undefined)
    wrong('clientAuth', ' says how a secret is sent, and there is none: add clientSecretFile');
  if (!scopes.includes('openid')) wrong('scopes', ' must have openid: without it nobody says who signs in');
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    issuer,
    clientId,
    scopes,
    signOutAtProvider,
    name: section.name ?? url?.hostname ?? issuer,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(clientSecretFile === undefined ? {} : { clientSecretFile }),
    ...(clientAuth === undefined ? {} : { clientAuth }),
    roles: roles.map(({ payloads = true, ...rule }) => ({ ...rule, payloads })),
  };
}
