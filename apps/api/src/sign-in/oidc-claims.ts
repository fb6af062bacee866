import type { OidcRule } from '@jetbeat/runtime';

/** What a provider says of somebody. */
export type Claims = Readonly<Record<string, unknown>>;

/** Longest name of somebody, characters. */
const MAX_NAME = 128;
/** Also what is not seen, or turns the order of letters: a name would look like that of another one. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** The one claim that a provider passes on although it may not know whether it is true (OpenID Connect Core 1.0 §5.7). */
const EMAIL = 'email';
const VERIFIED = 'email_verified';

/** What somebody may do: by the first rule that fits. Undefined where none does. */
export function ruleFor(claims: Claims, rules: readonly OidcRule[]): OidcRule | undefined {
  return rules.find((rule) => fits(claims, rule));
}

/** Whether a rule that comes first is about something that is not said here, so that it has to be asked for before a rule counts. */
export function leavesOpen(claims: Claims, rules: readonly OidcRule[]): boolean {
  const decided = rules.findIndex((rule) => fits(claims, rule));
  const first = decided === -1 ? rules : rules.slice(0, decided);
  return first.some(({ claim }) => {
    const found = lookUp(claims, claim);
    return !found || (found.isEmail && !says(found.beside, VERIFIED));
  });
}

/** Of rules the names with dots that nobody has said, where the way that they look like was: whoever wrote them meant that. */
export function meantAsWays(claims: Claims, rules: readonly OidcRule[]): string[] {
  const names = rules.flatMap(({ claim }) =>
    typeof claim === 'string' && claim.includes('.') ? [claim] : [],
  );
  return [...new Set(names)].filter((name) => !says(claims, name) && lookUp(claims, name.split('.')));
}

/** What two answers of a provider say together. What was signed goes first; an address keeps what was said of it beside it. */
export function together(signed: Claims, asked: Claims): Claims {
  const email = says(asked, EMAIL) && says(asked, VERIFIED) && !says(signed, VERIFIED) ? asked : signed;
  const { [EMAIL]: _, [VERIFIED]: __, ...rest } = { ...asked, ...signed };
  const own = Object.entries(email).filter(([name]) => name === EMAIL || name === VERIFIED);
  return { ...rest, ...Object.fromEntries(own) };
}

/** What somebody is called in lists and in the audit: there for people to read, and told apart by the subject alone. */
export function nameFrom(claims: Claims): string {
  const isVerified = claims[VERIFIED] === true;
  const names = [
    isVerified ? claims[EMAIL] : undefined,
    claims['preferred_username'],
    claims['name'],
    claims['sub'],
  ];
  const [name = ''] = names
    .filter((each) => typeof each === 'string')
    .map(plain)
    .filter((each) => each !== '');
  return name;
}

function fits(claims: Claims, { claim, equals }: OidcRule): boolean {
  const found = lookUp(claims, claim);
  if (!found || (found.isEmail && !(says(found.beside, VERIFIED) && found.beside[VERIFIED] === true)))
    return false;
  const { value } = found;
  return Array.isArray(value) ? value.includes(equals) : value === equals;
}

/** What is said of a claim, and what beside it. Undefined where nothing is. */
interface Found {
  readonly value: unknown;
  readonly beside: Claims;
  readonly isEmail: boolean;
}

/** A way leads through objects alone: neither through lists nor texts, and to what they say themselves. */
function lookUp(claims: Claims, claim: OidcRule['claim']): Found | undefined {
  const [name, ...within] = typeof claim === 'string' ? [claim] : claim;
  if (name === undefined || !says(claims, name)) return undefined;
  const value = claims[name];
  if (within.length === 0) return { value, beside: claims, isEmail: name === EMAIL };
  return isObject(value) ? lookUp(value, within) : undefined;
}

function isObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function says(claims: Claims, name: string): boolean {
  return Object.hasOwn(claims, name);
}

function plain(text: string): string {
  return [...text.replace(HIDDEN, '').trim()].slice(0, MAX_NAME).join('');
}
