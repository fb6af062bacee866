import Type, { type Static } from 'typebox';
import { AUDIT_ACTIONS, AUDIT_TARGETS } from '../audit-actions.ts';
import { CLOSED, OrNull, PAGE_QUERY, PageOf, Time, TimeFor } from './format.ts';
import { UnknownNames } from './job.ts';

/** One change that somebody made. */
export const AuditChangeSchema = Type.Object(
  {
    id: Type.Integer(),
    at: Time,
    actor: Type.Object(
      {
        kind: Type.Enum(['key', 'session', 'system'] as const, {
          description: 'A key, somebody who is signed in, or Jetbeat itself.',
        }),
        id: Type.String({ description: 'Id of the key or session; never a secret.' }),
        name: Type.String(),
        role: Type.String({ description: 'What it was allowed at that time.' }),
      },
      CLOSED,
    ),
    address: OrNull(Type.String({ description: 'Of the network.' })),
    reason: OrNull(Type.String({ description: 'Why, as far as it was said.' })),
    action: Type.String({ examples: ['queue.pause'] }),
    target: Type.Object({ kind: Type.String(), id: Type.String() }, CLOSED),
    before: Type.Unknown({
      description: 'What was changed, as it was; of inputs, notes and secrets never the value.',
    }),
    after: Type.Unknown({ description: 'The same as it is then.' }),
    traceId: OrNull(Type.String()),
  },
  { ...CLOSED, title: 'AuditChange' },
);
/** One change that somebody made. */
export type AuditChange = Static<typeof AuditChangeSchema>;

/** Answer of `GET /audit`. */
export const AuditPageSchema = PageOf(AuditChangeSchema, { warnings: UnknownNames });

/** PostgreSQL keeps no NUL, and names have no other control characters. */
const TEXT = '^[^\\u0000-\\u001f\\u007f]+$';
const text = (description: string, example: string) =>
  Type.Optional(
    Type.String({ pattern: TEXT, minLength: 1, maxLength: 256, description, examples: [example] }),
  );

/** Query of `GET /audit`. */
export const AuditQuerySchema = Type.Object(
  {
    actor: text('Id of a key or session.', 'first'),
    action: Type.Optional(Type.Enum(AUDIT_ACTIONS, { description: 'What was done.' })),
    target: text(
      `What it was done with: its name or id, with its kind (${AUDIT_TARGETS.join(', ')}) and a colon before it or not.`,
      'queue:mail',
    ),
    from: Type.Optional(TimeFor('At this time or later.')),
    to: Type.Optional(TimeFor('Before this time.')),
    ...PAGE_QUERY,
  },
  CLOSED,
);
/** Query of `GET /audit`. */
export type AuditQuery = Static<typeof AuditQuerySchema>;
