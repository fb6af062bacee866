import { expect, test } from 'vitest';
import { createSeal } from './sealed.ts';

const secret = Buffer.alloc(32, 7);
const made = (over: Partial<Parameters<typeof createSeal>[0]> = {}) =>
  createSeal({ secret, purpose: 'a test', lifeMs: 1_000, clock: () => 5_000, ...over });

test('another replica opens it, until it is too old', () => {
  const sealed = made().close('{"a":"ü\\n"}\n2');
  expect(made().open(sealed)).toBe('{"a":"ü\\n"}\n2');
  expect(made({ clock: () => 5_999 }).open(sealed)).toBe('{"a":"ü\\n"}\n2');
  expect(made({ clock: () => 6_000 }).open(sealed)).toBeUndefined();
});

test('nothing of it can be read, and no two are alike', () => {
  const sealed = made().close('verifier');
  expect(Buffer.from(sealed, 'base64url').includes('verifier')).toBe(false);
  expect(made().close('verifier')).not.toBe(sealed);
});

test('another purpose, another secret, and every change of it: nothing', () => {
  const sealed = made().close('x');
  expect(made({ purpose: 'another' }).open(sealed)).toBeUndefined();
  expect(made({ secret: Buffer.alloc(32, 8) }).open(sealed)).toBeUndefined();
  const bytes = Buffer.from(sealed, 'base64url');
  for (const at of bytes.keys()) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8((changed[at] ?? 0) ^ 1, at);
    expect(made().open(changed.toString('base64url')), `byte ${at}`).toBeUndefined();
  }
});

test.each(['', 'x', 'a'.repeat(38), 'a'.repeat(5_000), `${'a'.repeat(40)}=`, '\u0000'.repeat(50)])(
  'what nobody has sealed: nothing',
  (text) => {
    expect(made().open(text)).toBeUndefined();
  },
);
