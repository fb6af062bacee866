import {
  type Database,
  getSession,
  holderOfSession,
  type SessionFilter,
  type SessionHolder,
} from '@jetbeat/postgres';
import { mayDo } from '../access/api-key.ts';
import type { Caller } from '../access/caller.ts';
import { ApiError } from '../problems/problem.ts';

/**
 * Which sessions somebody sees, and may end: its own, those of the same key or person; an admin those of others too, and one for some queues
 * only those that are for none beside these.
 * @throws ApiError session_ended where it has ended since it was let in; DatabaseUnavailableError
 */
export async function sessionsSeen(db: Database, caller: Caller): Promise<SessionFilter['seenBy']> {
  const own = await holderOf(db, caller);
  return { own, all: mayDo(caller.role, 'admin'), within: caller.queues };
}

async function holderOf(db: Database, { kind, id }: Caller): Promise<SessionHolder> {
  if (kind === 'key') return { key: id };
  const session = await getSession(db, id);
  if (!session?.live) throw new ApiError('session_ended', 'this session is over: sign in anew at /sign-in');
  return holderOfSession(session);
}
