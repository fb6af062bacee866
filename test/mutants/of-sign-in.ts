import type { Mutant } from './mutant.ts';

const SITE = 'apps/api/src/sign-in/site.test.ts';
const SESSIONS = 'libs/postgres/src/access/sessions.test.ts';
const LINKS = 'libs/postgres/src/access/session-links.test.ts';
const SEEN = 'libs/postgres/src/access/session-filter.test.ts';
const CLAIMS = 'apps/api/src/sign-in/oidc-claims.test.ts';

/** Breaks of signing in with a browser. */
export const mutantsOfSignIn: readonly Mutant[] = [
  {
    name: 'another-site-changes',
    breaks: 'a page of another site changes nothing by the cookie of who is signed in',
    file: 'apps/api/src/sign-in/site.ts',
    search: "if (from !== undefined) return from === 'same-origin';",
    replace: "if (from !== undefined) return from.startsWith('same-');",
    tests: [SITE],
  },
  {
    name: 'another-site-reads',
    breaks: 'a page of another site has nothing read by that cookie',
    file: 'apps/api/src/sign-in/site.ts',
    search: "const isFollowed = headers['sec-fetch-mode'] === 'navigate' &&",
    replace: 'const isFollowed =',
    tests: [SITE],
  },
  {
    name: 'cookie-in-the-clear',
    breaks: 'nobody is signed in where the cookie can be read on the way',
    file: 'apps/api/src/sign-in/site.ts',
    search: 'const isOwn = isSaid && url !== null && isOwnMachine(url.hostname);',
    replace: 'const isOwn = isSaid && url !== null;',
    tests: [SITE],
  },
  {
    name: 'session-outlives-key',
    breaks: 'a session ends with its key',
    file: 'libs/postgres/src/access/session-record.ts',
    search: 'k.hash is not null and k.hash =',
    replace: "k.hash is not null and 'another' <>",
    tests: [SESSIONS],
  },
  {
    name: 'session-outlives-parent',
    breaks: 'what a link of a session begins ends with that session',
    file: 'libs/postgres/src/access/session-record.ts',
    search: '(p.id is not null and',
    replace: '(p.id is not null or',
    tests: [SESSIONS, LINKS],
  },
  {
    name: 'use-brings-back',
    breaks: 'a session that was idle for too long stays over',
    file: 'libs/postgres/src/access/sessions.ts',
    search: '= any($1::text[]) and s.ended_at is null and',
    replace: '= any($1::text[]) and s.ended_at is null or',
    tests: [SESSIONS],
  },
  {
    name: 'signed-out-believed',
    breaks: 'who has signed out here is not believed for another moment',
    file: 'apps/api/src/access/known-keys.ts',
    search: 'if (question) question.isOver = true;',
    replace: '',
    tests: ['apps/api/src/access/known-keys.test.ts'],
  },
  {
    name: 'sessions-of-others-listed',
    breaks: 'who is no admin sees the own sessions alone',
    file: 'libs/postgres/src/access/session-filter.ts',
    search: 'if (!all) return [isOfSql(own, bind)];',
    replace: '',
    tests: [SEEN],
  },
  {
    name: 'sessions-of-others-ended',
    breaks: 'who is no admin ends the own sessions alone',
    file: 'libs/postgres/src/access/session-filter.ts',
    search: 'return all && (within',
    replace: 'return (within',
    tests: [SEEN],
  },
  {
    name: 'link-sees-its-maker',
    breaks: 'what a link has begun does not see where its maker is signed in',
    file: 'libs/postgres/src/access/session-filter.ts',
    search: "if (beganBy === 'link') return { session: id };",
    replace: '',
    tests: [SEEN],
  },
  {
    name: 'idle-left-open',
    breaks: 'sessions that were idle for too long are ended with the others of a person',
    file: 'libs/postgres/src/access/session-record.ts',
    search: 'export const OPEN_SESSION = `(',
    replace: "export const OPEN_SESSION = `(s.seen_at > clock_timestamp() - interval '1 hour' and ",
    tests: [SEEN],
  },
  {
    name: 'address-within-unverified',
    breaks: 'an address within an object counts where it is verified there',
    file: 'apps/api/src/sign-in/oidc-claims.ts',
    search: 'return isObject(value) ? lookUp(value, within) : undefined;',
    replace:
      'const found = isObject(value) ? lookUp(value, within) : undefined;\n  return found && { ...found, beside: claims };',
    tests: [CLAIMS],
  },
];
