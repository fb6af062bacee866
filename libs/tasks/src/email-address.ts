import { domainToASCII } from 'node:url';
import { InvalidInputError } from '@jetbeat/core';

/** Who writes or is written to. */
export interface Mailbox {
  readonly name: string;
  /** The domain in lower case and ASCII. */
  readonly address: string;
}

const LOCAL = /^[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]{1,64}(\.[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]{1,64}){0,16}$/u;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** Control characters, line ends among them: with one of these a header could begin inside of a header. */
const CONTROL = /\p{Cc}|[\u2028\u2029]/u;

/** Whether a text holds what must not stand in a header. */
export function breaksHeader(text: string): boolean {
  return CONTROL.test(text);
}

/**
 * Reads `a@example.org` or `Name <a@example.org>`: one mailbox, never a list. Quoted local parts, comments and
 * address literals are no mailbox here: they have led mail astray, and hardly anybody has one.
 */
export function parseMailbox(text: string): Mailbox | undefined {
  if (text.length > 512 || breaksHeader(text)) return undefined;
  const [, name = '', inner] = /^([^<>]*)<([^<>]*)>$/.exec(text.trim()) ?? [];
  const address = canonical(inner ?? text.trim());
  return address === undefined ? undefined : { name: unquoted(name.trim()), address };
}

function canonical(address: string): string | undefined {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const domain = canonicalDomain(address.slice(at + 1));
  return at > 0 && domain !== undefined && LOCAL.test(local) ? `${local}@${domain}` : undefined;
}

function canonicalDomain(text: string): string | undefined {
  if (/[^\p{L}\p{N}.-]/u.test(text)) return undefined;
  const domain = domainToASCII(text);
  return domain.length <= 255 && domain.split('.').every((label) => LABEL.test(label)) ? domain : undefined;
}

function unquoted(name: string): string {
  return /^".*"$/.test(name) ? name.slice(1, -1).replaceAll(/\\(.)/g, '$1') : name;
}

/**
 * Reads a configured sender.
 * @throws InvalidInputError naming the place
 */
export function configuredSender(text: string, pointer: string): Mailbox {
  const mailbox = parseMailbox(text);
  if (mailbox) return mailbox;
  throw invalid(pointer, `${JSON.stringify(text)} is no sender: write a@example.org or Name <a@example.org>`);
}

/**
 * Prepares who may be written to: addresses, `*@example.org`, `*@*.example.org` (what is below it).
 * @throws InvalidInputError naming the entry that is none of these
 */
export function recipientRule(
  entries: readonly string[] | undefined,
  pointer: string,
): (address: string) => boolean {
  if (entries === undefined) return () => true;
  const exact = new Set<string>();
  const domains = new Set<string>();
  const suffixes: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const [, below, text] = /^\*@(\*\.)?(.*)$/.exec(entry) ?? [];
    const found = text === undefined ? canonical(entry) : canonicalDomain(text);
    if (found === undefined)
      throw invalid(
        `${pointer}/${index}`,
        `${JSON.stringify(entry)} is no recipient: write a@example.org, *@example.org or *@*.example.org`,
      );
    if (text === undefined) exact.add(found.toLowerCase());
    else if (below === undefined) domains.add(found);
    else suffixes.push(`.${found}`);
  }
  return (address) => {
    const domain = address.slice(address.lastIndexOf('@') + 1);
    return (
      exact.has(address.toLowerCase()) ||
      domains.has(domain) ||
      suffixes.some((suffix) => domain.endsWith(suffix))
    );
  };
}

function invalid(pointer: string, message: string): InvalidInputError {
  return new InvalidInputError(message, [{ pointer, code: 'invalid_address', message }]);
}
