import { expect, onTestFinished, test } from 'vitest';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { openDatabase } from '../database/open.ts';
import { sharedSecret } from './secrets.ts';

test('of any number that ask at once all get the same secret, and of another name another one', async () => {
  const made = await createTestDatabase();
  onTestFinished(() => made.drop());
  const db = await openDatabase({ url: made.url, applicationName: 'secrets-test' });
  onTestFinished(() => db.close());
  const all = await Promise.all(Array.from({ length: 10 }, () => sharedSecret(db, 'cursor')));
  const [first] = all;
  expect(first).toHaveLength(32);
  expect(all.every((secret) => first?.equals(secret))).toBe(true);
  expect((await sharedSecret(db, 'cursor')).equals(first ?? Buffer.alloc(0))).toBe(true);
  expect((await sharedSecret(db, 'other')).equals(first ?? Buffer.alloc(0))).toBe(false);
});
