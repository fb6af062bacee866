import { describe, expect, test } from 'vitest';
import type { ApiError } from '../problems/problem.ts';
import { sentSession, type WithCookies } from './session-cookie.ts';
import { refuseOtherPages, refuseOthers, type Site, type SiteDoor, siteOf, type Visit } from './site.ts';

const visit = (change: Partial<Visit> = {}): Visit => ({
  method: 'GET',
  protocol: 'http',
  host: '127.0.0.1:7420',
  headers: {},
  ...change,
});
const HOME = { secure: false, isOpen: false };
const OPEN = { secure: false, isOpen: true };

describe('where a browser is', () => {
  test.each<[string, Partial<Visit>, SiteDoor, Site]>([
    [
      'over plain http on this machine each port has a cookie of its own',
      {},
      HOME,
      { secure: false, origin: 'http://127.0.0.1:7420', cookie: 'jetbeat-7420' },
    ],
    [
      'however it is called',
      { host: 'localhost' },
      HOME,
      { secure: false, origin: 'http://localhost', cookie: 'jetbeat-80' },
    ],
    [
      'and by IPv6',
      { host: '[::1]:80' },
      HOME,
      { secure: false, origin: 'http://[::1]', cookie: 'jetbeat-80' },
    ],
    [
      'elsewhere nobody can sign in over plain http',
      { host: 'jetbeat.example.org' },
      HOME,
      { secure: false, origin: undefined, cookie: 'jetbeat-80' },
    ],
    [
      'nor where a name only looks like this machine',
      { host: '127.0.0.1.example.org' },
      HOME,
      { secure: false, origin: undefined, cookie: 'jetbeat-80' },
    ],
    [
      'nor where the address that people write is plain http',
      {},
      { ...OPEN, publicUrl: 'http://jetbeat.example.org' },
      { secure: false, origin: undefined, cookie: 'jetbeat-80' },
    ],
    [
      'nor where a proxy may have made the name of it',
      {},
      OPEN,
      { secure: false, origin: undefined, cookie: 'jetbeat-7420' },
    ],
    [
      'but where the configuration says that it is the own machine',
      { host: 'inside:7420' },
      { ...OPEN, publicUrl: 'http://127.0.0.1:7420' },
      { secure: false, origin: 'http://127.0.0.1:7420', cookie: 'jetbeat-7420' },
    ],
    [
      'by https the browser keeps the cookie for the host alone',
      { host: 'jetbeat.example.org', protocol: 'https' },
      HOME,
      { secure: true, origin: 'https://jetbeat.example.org', cookie: '__Host-jetbeat' },
    ],
    [
      'the address that people write goes before what the request says',
      { host: 'inside:7420' },
      { secure: true, isOpen: true, publicUrl: 'https://jetbeat.example.org' },
      { secure: true, origin: 'https://jetbeat.example.org', cookie: '__Host-jetbeat' },
    ],
    [
      'but not the plain http that a proxy says it was asked by',
      { host: 'jetbeat.example.org', headers: { 'x-forwarded-proto': 'https, http' } },
      { secure: true, isOpen: true, publicUrl: 'https://jetbeat.example.org' },
      { secure: true, origin: undefined, cookie: '__Host-jetbeat' },
    ],
    [
      'of one whose word counts as https it is https',
      { host: 'jetbeat.example.org', headers: { 'x-forwarded-proto': 'http, https' } },
      { secure: true, isOpen: true, publicUrl: 'https://jetbeat.example.org' },
      { secure: true, origin: 'https://jetbeat.example.org', cookie: '__Host-jetbeat' },
    ],
    [
      'and who comes straight by https says what he likes',
      { host: 'jetbeat.example.org', protocol: 'https', headers: { 'x-forwarded-proto': 'http' } },
      { secure: true, isOpen: true },
      { secure: true, origin: 'https://jetbeat.example.org', cookie: '__Host-jetbeat' },
    ],
    [
      'a host that is none is nowhere',
      { host: 'a b', protocol: 'https' },
      HOME,
      { secure: true, origin: undefined, cookie: '__Host-jetbeat' },
    ],
  ])('%s', (_, change, door, site) => {
    expect(siteOf(visit(change), door)).toEqual(site);
  });
});

describe('a request with the cookie of a session', () => {
  const site = siteOf(visit(), HOME);
  const refused = (act: () => void) => {
    try {
      act();
      return false;
    } catch (error) {
      expect((error as ApiError).code).toBe('cross_site');
      return true;
    }
  };
  const own = 'http://127.0.0.1:7420';

  test.each([
    // From where; whether it is refused where it changes something, where it reads, and where it signs in.
    [{ 'sec-fetch-site': 'same-origin' }, false, false, false],
    [{ 'sec-fetch-site': 'same-site' }, true, true, true],
    [{ 'sec-fetch-site': 'cross-site' }, true, true, true],
    [{ 'sec-fetch-site': 'none' }, true, false, true],
    [{ 'sec-fetch-site': 'same-origin, cross-site' }, true, true, true],
    [{ 'sec-fetch-site': 'SAME-ORIGIN' }, true, true, true],
    [{ 'sec-fetch-site': '' }, true, true, true],
    // An image, a frame or a script of another page; a link that was followed, and a form.
    [
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      true,
      true,
      true,
    ],
    [
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
      true,
      true,
      true,
    ],
    [
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'document' },
      true,
      true,
      true,
    ],
    [
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
      true,
      false,
      true,
    ],
    // Of browsers that do not say so, and of programs.
    [{ origin: own }, false, false, false],
    [{ origin: 'http://127.0.0.1:7421' }, true, false, true],
    [{ origin: 'https://127.0.0.1:7420' }, true, false, true],
    [{ origin: 'https://evil.example' }, true, false, true],
    [{ origin: 'null' }, true, false, true],
    [{ origin: '' }, true, false, true],
    [{}, true, false, false],
    // What the browser says of the site goes before.
    [{ 'sec-fetch-site': 'cross-site', origin: own }, true, true, true],
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' }, false, false, false],
  ])('%j', (headers, changes, reads, signsIn) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'ODD'])
      expect(
        refused(() => refuseOthers(visit({ method, headers }), site)),
        method,
      ).toBe(changes);
    for (const method of ['GET', 'HEAD'])
      expect(
        refused(() => refuseOthers(visit({ method, headers }), site)),
        method,
      ).toBe(reads);
    expect(refused(() => refuseOtherPages(visit({ method: 'POST', headers }), site))).toBe(signsIn);
  });

  test('where nobody can sign in no origin is the own one', () => {
    const nowhere = siteOf(visit({ host: 'a.example' }), HOME);
    const asked = visit({ method: 'POST', host: 'a.example', headers: { origin: 'undefined' } });
    expect(refused(() => refuseOthers(asked, nowhere))).toBe(true);
  });
});

describe('the cookie', () => {
  const token = 't'.repeat(43);
  const sent = (cookie: string, cookies: Record<string, string>) =>
    sentSession({ ...visit({ headers: { cookie } }), cookies } satisfies WithCookies, HOME);

  test('of another port, or of https, is none of here', () => {
    expect(sent(`jetbeat-7421=${token}`, { 'jetbeat-7421': token })).toBeUndefined();
    expect(sent(`__Host-jetbeat=${token}`, { '__Host-jetbeat': token })).toBeUndefined();
    expect(sentSession({ ...visit(), cookies: {} }, HOME)).toBeUndefined();
  });

  test('is looked up by its hash; what is no token is that of nobody', () => {
    const found = sent(`a=b; jetbeat-7420=${token}`, { 'jetbeat-7420': token });
    expect(found?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(sent('jetbeat-7420=x', { 'jetbeat-7420': 'x' })?.hash).toBe('');
    expect(sent('jetbeat-7420=', { 'jetbeat-7420': '' })).toBeUndefined();
  });

  test.each([`jetbeat-7420=${token}; jetbeat-7420=x`, `jetbeat-7420=${token};jetbeat-7420 =`])(
    'twice is refused, since one may be put there by somebody else: %s',
    (cookie) => {
      expect(() => sent(cookie, { 'jetbeat-7420': token })).toThrow('several cookies named jetbeat-7420');
    },
  );
});
