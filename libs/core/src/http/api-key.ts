import Type, { type Static } from 'typebox';
import { CLOSED, DurationFor, OrNull, PAGE_QUERY, PageOf, QueueName, Time, TimeFor } from './format.ts';

/** What a key or a person may do; each may do what the ones before it may. */
const ROLE_NAMES = ['viewer', 'operator', 'admin'] as const;

const RoleName = Type.Enum(ROLE_NAMES, {
  description:
    '`viewer` reads, `operator` runs and steers too, `admin` hands out keys and reads the audit too.',
});

/** Body of `POST /api-keys`. */
export const ApiKeyRequestSchema = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 128,
      // No control characters: it is shown in terminals and logs.
      pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
      description: 'Who or what it is for.',
      examples: ['deploy of mail'],
    }),
    role: RoleName,
    queues: Type.Optional(
      Type.Array(QueueName, {
        minItems: 1,
        maxItems: 256,
        uniqueItems: true,
        description: 'It sees and touches these queues alone; without it all of them.',
      }),
    ),
    payloads: Type.Optional(
      Type.Boolean({
        default: true,
        description: 'False: it sees no inputs, results, notes and stack traces.',
      }),
    ),
    expiresAt: Type.Optional(TimeFor('From then on it is refused. Not together with `expiresIn`.')),
    expiresIn: Type.Optional(DurationFor('How long it holds from now on.')),
  },
  {
    ...CLOSED,
    title: 'ApiKeyRequest',
    examples: [{ name: 'dashboard of the mail team', role: 'viewer', queues: ['mail'], expiresIn: '90d' }],
  },
);
/** Body of `POST /api-keys`. */
export type ApiKeyRequest = Static<typeof ApiKeyRequestSchema>;

const FIELDS = {
  id: Type.String({ description: 'The middle part of the key; it is no secret.' }),
  name: Type.String(),
  role: RoleName,
  queues: OrNull(Type.Array(Type.String(), { description: 'The only ones that it sees and touches.' })),
  payloads: Type.Boolean(),
  state: Type.Enum(['active', 'expired', 'revoked'] as const),
  configured: Type.Boolean({ description: 'It comes from `JETBEAT_API_KEY`.' }),
  createdAt: Time,
  createdBy: OrNull(Type.String({ description: 'Id of the key or session that has made it.' })),
  expiresAt: OrNull(Time),
  lastUsedAt: OrNull(Type.String({ ...Time, description: 'RFC 3339, UTC. To the minute.' })),
  revoked: OrNull(Type.Object({ at: Time, by: Type.String() }, CLOSED)),
};

/** A key of the API, without its secret. */
export const ApiKeySchema = Type.Object(FIELDS, { ...CLOSED, title: 'ApiKey' });
/** A key of the API, without its secret. */
export type ApiKey = Static<typeof ApiKeySchema>;

/** Answer of `POST /api-keys`. */
export const ApiKeyCreatedSchema = Type.Object(
  { ...FIELDS, key: Type.String({ description: 'The key itself. It is told here, and never again.' }) },
  { ...CLOSED, title: 'ApiKeyCreated' },
);
/** Answer of `POST /api-keys`. */
export type ApiKeyCreated = Static<typeof ApiKeyCreatedSchema>;

/** Answer of `GET /api-keys`. */
export const ApiKeyPageSchema = PageOf(ApiKeySchema);

/** Query of `GET /api-keys`. */
export const ApiKeyQuerySchema = Type.Object(PAGE_QUERY, CLOSED);
/** Query of `GET /api-keys`. */
export type ApiKeyQuery = Static<typeof ApiKeyQuerySchema>;
