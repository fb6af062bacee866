import Type, { type Static } from 'typebox';
import { CLOSED, OrNull, PAGE_QUERY, PageOf, Time } from './format.ts';

const Rights = {
  name: Type.String({ description: 'What the key is called, or who is signed in.' }),
  role: Type.Enum(['viewer', 'operator', 'admin'] as const),
  queues: OrNull(Type.Array(Type.String(), { description: 'The only ones that it sees and touches.' })),
  payloads: Type.Boolean({ description: 'Whether it sees inputs, results, notes and stack traces.' }),
};
const BeganBy = Type.Enum(['key', 'oidc', 'link'] as const, {
  description: 'A key, a provider (OpenID Connect), or a link that signs in once.',
});
const IdleUntil = Type.String({
  ...Time,
  description: 'RFC 3339, UTC. Without another request it is over then. To the minute.',
});

/** Body of `POST /session`. */
export const SignInSchema = Type.Object(
  {
    key: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'A key of the API.' })),
    code: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: 'That of a link which signs in once.' }),
    ),
  },
  {
    ...CLOSED,
    minProperties: 1,
    maxProperties: 1,
    title: 'SignIn',
    description: 'Either of both.',
    examples: [{ key: 'jb_4f9c0a1b2c3d4e5f_secret' }],
  },
);
/** Body of `POST /session`. */
export type SignIn = Static<typeof SignInSchema>;

/** Who makes the request: answer of `GET` and `POST /session`. */
export const SessionSchema = Type.Object(
  {
    kind: Type.Enum(['key', 'session'] as const),
    id: Type.String({ description: 'Id of the key or session; never a secret.' }),
    ...Rights,
    beganBy: OrNull(BeganBy),
    idleUntil: OrNull(IdleUntil),
    expiresAt: OrNull(Type.String({ ...Time, description: 'RFC 3339, UTC. Then it is over in any case.' })),
  },
  { ...CLOSED, title: 'Session' },
);
/** Who makes the request: answer of `GET` and `POST /session`. */
export type Session = Static<typeof SessionSchema>;

/** How one can sign in: answer of `GET /session/ways`. */
export const SignInWaysSchema = Type.Object(
  {
    key: Type.Boolean({ description: 'With a key of the API, or a link.' }),
    oidc: OrNull(
      Type.Object(
        {
          name: Type.String({ description: 'What people call the provider.' }),
          url: Type.String({ description: 'Where to go: a path here, which leads on to the provider.' }),
          signOutUrl: OrNull(
            Type.String({
              description: 'The same for signing out there too, once the session here is over.',
            }),
          ),
        },
        CLOSED,
      ),
    ),
    signedIn: Type.Boolean({ description: 'Whether the browser has sent a session, which may be over.' }),
  },
  { ...CLOSED, title: 'SignInWays' },
);
/** How one can sign in: answer of `GET /session/ways`. */
export type SignInWays = Static<typeof SignInWaysSchema>;

/** A link that signs in once: answer of `POST /session/links`. */
export const SignInLinkSchema = Type.Object(
  {
    url: Type.String({ description: 'For a browser. It signs in whoever follows it first.' }),
    code: Type.String({ description: 'What stands in it.' }),
    expiresAt: Time,
  },
  { ...CLOSED, title: 'SignInLink' },
);
/** A link that signs in once: answer of `POST /session/links`. */
export type SignInLink = Static<typeof SignInLinkSchema>;

/** Somebody who is signed in with a browser, as it is listed. */
export const SessionShownSchema = Type.Object(
  {
    id: Type.String(),
    ...Rights,
    beganBy: BeganBy,
    keyId: OrNull(Type.String({ description: 'It ends with this key, and may what the key may.' })),
    issuer: OrNull(Type.String({ description: 'The provider.' })),
    subject: OrNull(Type.String({ description: 'Who it is there.' })),
    createdAt: Time,
    seenAt: Type.String({ ...Time, description: 'RFC 3339, UTC. To the minute.' }),
    idleUntil: IdleUntil,
    expiresAt: Time,
    address: OrNull(Type.String({ description: 'From where it began.' })),
    userAgent: OrNull(Type.String({ description: 'What the browser calls itself; it may be anything.' })),
    current: Type.Boolean({ description: 'It is the one that asks.' }),
  },
  { ...CLOSED, title: 'SessionShown' },
);
/** Somebody who is signed in with a browser, as it is listed. */
export type SessionShown = Static<typeof SessionShownSchema>;

/** Answer of `GET /sessions`. */
export const SessionPageSchema = PageOf(SessionShownSchema);

/** PostgreSQL keeps no NUL, and neither ids nor names have other control characters. */
const TEXT = '^[^\\u0000-\\u001f\\u007f]+$';
const text = (description: string, example: string) =>
  Type.Optional(
    Type.String({ pattern: TEXT, minLength: 1, maxLength: 256, description, examples: [example] }),
  );
const Key = text('Id of a key: those that were begun with it.', '4f9c0a1b2c3d');
const Subject = text('Who it is at the provider: its `subject`, of any `issuer`.', '0f6c9f3a');

/** Query of `GET /sessions`. */
export const SessionQuerySchema = Type.Object(
  {
    whose: Type.Optional(
      Type.Enum(['own', 'all'] as const, {
        default: 'all',
        description: '`own`: those of the same key or person alone; who is no admin sees no others anyway.',
      }),
    ),
    key: Key,
    subject: Subject,
    name: text('What the key is called, or who is signed in, exactly.', 'ann@example.org'),
    ...PAGE_QUERY,
  },
  CLOSED,
);
/** Query of `GET /sessions`. */
export type SessionQuery = Static<typeof SessionQuerySchema>;

/** Body of `POST /sessions/end`. */
export const EndSessionsSchema = Type.Object(
  {
    others: Type.Optional(
      Type.Literal(true, { description: 'All of the same key or person but the one that asks.' }),
    ),
    key: Key,
    subject: Subject,
  },
  {
    ...CLOSED,
    minProperties: 1,
    maxProperties: 1,
    title: 'EndSessions',
    description: 'One of them: which sessions. `key` and `subject` are for admins.',
    examples: [{ subject: '0f6c9f3a' }],
  },
);
/** Body of `POST /sessions/end`. */
export type EndSessions = Static<typeof EndSessionsSchema>;

/** Answer of `POST /sessions/end`. */
export const EndedSessionsSchema = Type.Object(
  {
    ended: Type.Integer({
      minimum: 0,
      description: 'How many it has ended, also those that were idle for too long, which are not listed.',
    }),
  },
  { ...CLOSED, title: 'EndedSessions' },
);
/** Answer of `POST /sessions/end`. */
export type EndedSessions = Static<typeof EndedSessionsSchema>;
