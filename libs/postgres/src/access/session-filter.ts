import { queuesOf, type SessionRecord } from './session-record.ts';

/** Whose sessions: all of a key, all of a person at a provider, or one alone. */
export type SessionHolder =
  | { readonly key: string }
  | { readonly issuer: string; readonly subject: string }
  | { readonly session: string };

/** Which sessions; all that is said has to fit. */
export interface SessionFilter {
  /** Who looks: nobody else's are there for it, unless it sees all of them, or all that are for no other queues than some. */
  readonly seenBy: {
    readonly own: SessionHolder;
    readonly all: boolean;
    readonly within?: readonly string[] | undefined;
  };
  /** Those of whoever looks alone. */
  readonly own?: boolean | undefined;
  /** Not this one. */
  readonly except?: string | undefined;
  /** Id of the key with which they were begun. */
  readonly key?: string | undefined;
  /** Who it is at the provider. */
  readonly subject?: string | undefined;
  readonly name?: string | undefined;
}

/**
 * Whose a session is. One that a link has begun is its own alone, be it the link of a session or of a key: whoever has got hold of a link does
 * not see where its maker is signed in, and does not sign it out there.
 */
export function holderOfSession({ id, beganBy, key, issuer, subject }: SessionRecord): SessionHolder {
  if (beganBy === 'link') return { session: id };
  if (key) return { key: key.id };
  return issuer === undefined || subject === undefined ? { session: id } : { issuer, subject };
}

/** Whether somebody who looks sees this session. */
export function seesSession({ own, all, within }: SessionFilter['seenBy'], session: SessionRecord): boolean {
  if (isOf(own, session)) return true;
  return all && (within === undefined || (session.queues?.every((queue) => within.includes(queue)) ?? false));
}

function isOf(holder: SessionHolder, { id, key, issuer, subject }: SessionRecord): boolean {
  if ('session' in holder) return holder.session === id;
  if ('key' in holder) return holder.key === key?.id;
  return !key && holder.issuer === issuer && holder.subject === subject;
}

type Bind = (value: unknown) => string;

/** SQL of `isOf`. */
function isOfSql(holder: SessionHolder, bind: Bind): string {
  if ('session' in holder) return `s.id = ${bind(holder.session)}`;
  if ('key' in holder) return `s.key_id = ${bind(holder.key)}`;
  return `(s.key_id is null and s.issuer = ${bind(holder.issuer)} and s.subject = ${bind(holder.subject)})`;
}

/** SQL of `seesSession`. */
function seesSql({ own, all, within }: SessionFilter['seenBy'], bind: Bind): string[] {
  if (!all) return [isOfSql(own, bind)];
  if (within === undefined) return [];
  return [`(${isOfSql(own, bind)} or ${queuesOf('s')} <@ ${bind(within)}::text[])`];
}

/** SQL of a filter, of the sessions `s` of `SESSION_FROM`. */
export function conditionsOf(filter: SessionFilter, bind: Bind): string[] {
  const { seenBy, own = false, except, key, subject, name } = filter;
  return [
    ...seesSql(seenBy, bind),
    ...(own ? [isOfSql(seenBy.own, bind)] : []),
    ...(except === undefined ? [] : [`s.id <> ${bind(except)}`]),
    ...(key === undefined ? [] : [`s.key_id = ${bind(key)}`]),
    ...(subject === undefined ? [] : [`s.subject = ${bind(subject)}`]),
    ...(name === undefined ? [] : [`s.name = ${bind(name)}`]),
  ];
}
