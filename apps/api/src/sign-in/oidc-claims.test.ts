import type { OidcRule } from '@jetbeat/runtime';
import { describe, expect, test } from 'vitest';
import { leavesOpen, meantAsWays, nameFrom, ruleFor, together } from './oidc-claims.ts';

const rule = (claim: OidcRule['claim'], equals: string, role: OidcRule['role'] = 'viewer'): OidcRule => ({
  claim,
  equals,
  role,
  payloads: true,
});
const role = (claims: object, ...rules: OidcRule[]) => ruleFor({ ...claims }, rules)?.role;

test('the first rule that fits counts', () => {
  const rules = [rule('groups', 'ops', 'operator'), rule('groups', 'all'), rule('groups', 'boss', 'admin')];
  expect(role({ groups: ['all', 'boss', 'ops'] }, ...rules)).toBe('operator');
  expect(role({ groups: ['boss', 'all'] }, ...rules)).toBe('viewer');
  expect(role({ groups: 'boss' }, ...rules)).toBe('admin');
});

test.each([
  [{}],
  [{ groups: [] }],
  [{ groups: ['admins-of-others'] }],
  [{ groups: 'admins,ops' }],
  [{ groups: ['Admins'] }],
  [{ groups: ['admins '] }],
  [{ groups: [['admins']] }],
  [{ groups: { admins: true } }],
  [{ groups: null }],
  [{ other: 'admins' }],
  [Object.create({ groups: 'admins' }) as object],
])('what is not exactly it lets nobody in: %j', (claims) => {
  expect(ruleFor(claims as Record<string, unknown>, [rule('groups', 'admins')])).toBeUndefined();
});

test('no name of a claim is one that every object has', () => {
  expect(role({}, rule('constructor', 'Object'))).toBeUndefined();
  expect(role(JSON.parse('{"__proto__": "x"}') as object, rule('toString', 'x'))).toBeUndefined();
});

test.each([
  [true, 'viewer'],
  [false, undefined],
  ['true', undefined],
  [1, undefined],
  [undefined, undefined],
])('an address counts where the provider has verified it: %j', (email_verified, expected) => {
  const claims = { email: 'a@example.org', ...(email_verified === undefined ? {} : { email_verified }) };
  expect(role(claims, rule('email', 'a@example.org'))).toBe(expected);
});

describe('what stands within objects', () => {
  const KEYCLOAK = {
    realm_access: { roles: ['offline_access', 'ops'] },
    'realm_access.roles': ['dotted'],
    resource_access: { 'jet.beat': { roles: ['boss'] }, account: { roles: ['manage-account'] } },
    'https://example.org/roles': ['named'],
    list: [{ roles: ['ops'] }],
    text: 'ops',
  };

  test.each<[OidcRule['claim'], string]>([
    [['realm_access', 'roles'], 'ops'],
    [['resource_access', 'jet.beat', 'roles'], 'boss'],
    ['realm_access.roles', 'dotted'],
    [['realm_access.roles'], 'dotted'],
    ['https://example.org/roles', 'named'],
  ])('%j is found, exactly', (claim, equals) => {
    expect(role(KEYCLOAK, rule(claim, equals))).toBe('viewer');
    expect(role(KEYCLOAK, rule(claim, 'other'))).toBeUndefined();
  });

  test.each<[OidcRule['claim'], string]>([
    ['realm_access.roles', 'ops'],
    ['resource_access.jet.beat.roles', 'boss'],
    [['resource_access', 'jet', 'beat', 'roles'], 'boss'],
    [['resource_access', 'account', 'roles'], 'boss'],
    [['realm_access'], 'ops'],
    [['realm_access', 'roles', '1'], 'ops'],
    [['list', '0', 'roles'], 'ops'],
    [['list', 'roles'], 'ops'],
    [['text', '0'], 'o'],
    [['realm_access', 'roles', 'length'], '2'],
    [['realm_access', 'constructor', 'name'], 'Object'],
    [['realm_access', '__proto__', 'constructor'], 'Object'],
    [['nothing', 'roles'], 'ops'],
    [[], 'ops'],
  ])('%j leads to no %s', (claim, equals) => {
    expect(role(KEYCLOAK, rule(claim, equals))).toBeUndefined();
  });

  test.each([
    [{ email: 'a@example.org', email_verified: true }, 'viewer'],
    [{ email: 'a@example.org' }, undefined],
    [{ email: 'a@example.org', email_verified: 'true' }, undefined],
  ])('an address within counts where it is verified there: %j', (user, expected) => {
    // What is said of another address does not count for this one.
    const claims = { user, email: 'b@example.org', email_verified: true };
    expect(role(claims, rule(['user', 'email'], 'a@example.org'))).toBe(expected);
    expect(role({ ...user }, rule(['email'], 'a@example.org'))).toBe(expected);
  });

  test('what is not said within is asked for, and what was signed is taken whole', () => {
    const rules = [rule(['realm_access', 'roles'], 'ops')];
    expect(leavesOpen({ realm_access: {} }, rules)).toBe(true);
    expect(leavesOpen({ realm_access: { roles: [] } }, rules)).toBe(false);
    const asked = { realm_access: { roles: ['ops'] } };
    expect(role(together({ sub: '1' }, asked), ...rules)).toBe('viewer');
    expect(role(together({ sub: '1', realm_access: { roles: [] } }, asked), ...rules)).toBeUndefined();
  });

  test('a name that was meant as a way is told', () => {
    const { 'realm_access.roles': _, ...claims } = KEYCLOAK;
    const rules = [
      ...[rule('realm_access.roles', 'ops'), rule('realm_access.roles', 'boss'), rule('groups', 'x')],
      ...[rule('nothing.here', 'x'), rule(['realm_access', 'x.y'], 'x')],
    ];
    expect(meantAsWays(claims, rules)).toEqual(['realm_access.roles']);
    expect(meantAsWays(KEYCLOAK, rules)).toEqual([]);
  });
});

test('what is not said is asked for, unless a rule before it has decided', () => {
  const rules = [rule('groups', 'ops'), rule('email', 'a@example.org')];
  expect(leavesOpen({ groups: ['ops'] }, rules)).toBe(false);
  expect(leavesOpen({ groups: ['x'] }, rules)).toBe(true);
  expect(leavesOpen({ groups: ['x'], email: 'a@example.org' }, rules)).toBe(true);
  expect(leavesOpen({ groups: ['x'], email: 'b@example.org', email_verified: true }, rules)).toBe(false);
  expect(leavesOpen({ email: 'a@example.org', email_verified: true }, rules)).toBe(true);
});

test('what was signed goes before what was asked for', () => {
  expect(together({ sub: '1', groups: ['a'] }, { sub: '1', groups: ['b'], hd: 'example.org' })).toEqual({
    sub: '1',
    groups: ['a'],
    hd: 'example.org',
  });
});

test('an address keeps what was said of it, and takes nothing of another one', () => {
  const signed = { sub: '1', email: 'boss@example.org' };
  const asked = { sub: '1', email: 'me@example.org', email_verified: true };
  expect(together(signed, asked)).toEqual(asked);
  expect(together({ ...signed, email_verified: false }, asked)).toEqual({ ...signed, email_verified: false });
  expect(together(signed, { sub: '1', email_verified: true })).toEqual(signed);
});

test.each([
  [{ sub: '1', name: 'Ann', preferred_username: 'ann', email: 'a@b.c', email_verified: true }, 'a@b.c'],
  [{ sub: '1', name: 'Ann', preferred_username: 'ann', email: 'boss@b.c' }, 'ann'],
  [{ sub: '1', name: 'Ann', preferred_username: '' }, 'Ann'],
  [{ sub: '1', name: '\u0007\n' }, '1'],
  [{ sub: '1', name: { given: 'Ann' } }, '1'],
  [{ sub: '1', name: '\u202eA\u200bn\u2028n\u2066' }, 'Ann'],
  [{ sub: '1', name: `A\nnn\u001b[31m${'x'.repeat(200)}` }, `Ann[31m${'x'.repeat(121)}`],
])('what somebody is called: %j', (claims, name) => {
  expect(nameFrom(claims)).toBe(name);
});
