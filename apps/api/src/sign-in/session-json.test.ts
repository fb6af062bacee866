import type { SessionRecord } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { holderOf } from '../access/caller.ts';
import { sessionCaller } from './session-json.ts';

const SESSION: SessionRecord = {
  id: 's',
  tokenHash: 'h',
  beganBy: 'key',
  name: 'Ada',
  role: 'viewer',
  payloads: true,
  createdAt: 0,
  seenAt: 0,
  idleUntil: 1,
  expiresAt: 1,
  live: true,
};

test('limits count all sessions of a key with it, and all of a person', () => {
  const holder = (more: Partial<SessionRecord>) => holderOf(sessionCaller({ ...SESSION, ...more }));
  const ofKey = holder({ key: { id: 'k', hash: 'h' }, issuer: 'i', subject: 'ann' });
  expect(ofKey).toBe(holderOf({ kind: 'key', id: 'k' }));
  expect(holder({ issuer: 'i', subject: 'ann' })).toBe(holder({ id: 's_1', issuer: 'i', subject: 'ann' }));
  expect(holder({ issuer: 'i', subject: 'ann' })).not.toBe(holder({ issuer: 'j', subject: 'ann' }));
});
