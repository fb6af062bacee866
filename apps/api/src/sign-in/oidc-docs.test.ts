import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadConfig } from '@jetbeat/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Claims, ruleFor } from './oidc-claims.ts';

const text = readFileSync(resolve(import.meta.dirname, '../../../../docs/oidc.md'), 'utf8');
const blocks = (kind: string) =>
  [...text.matchAll(new RegExp(`\`\`\`${kind}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, body = '']) => body);

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'jetbeat-docs-'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

function load(yaml: string) {
  writeFileSync(join(cwd, 'jetbeat.yaml'), yaml);
  return loadConfig({ env: {}, app: 'api', cwd }).api;
}

const [whole = '', ...parts] = blocks('yaml');
const within = (part: string) => part.replaceAll(/^(?=.)/gm, '    ');
/** Of each provider what it says of somebody, and the rules for that. */
const examples = blocks('json').map((claims, index) => ({
  yaml: `api:\n  oidc:\n    clientId: jetbeat\n${within(parts[index] ?? '')}`,
  claims: JSON.parse(claims) as Claims,
}));

test('the configuration on the page is read, and has every option that it needs for the address to come back to', () => {
  const { publicUrl, oidc } = load(whole);
  expect(blocks('text')).toEqual([`${publicUrl}/api/v1/session/oidc/callback\n`, `${publicUrl}/sign-in\n`]);
  expect(oidc).toMatchObject({ name: 'Company login', clientSecretFile: '/run/secrets/jetbeat-oidc' });
  expect(oidc?.roles.map(({ role }) => role)).toEqual(['admin', 'operator', 'viewer']);
});

test('what is said of signing out can be added to it', () => {
  const [more = '', ...rest] = parts.slice(examples.length);
  expect(rest).toEqual([]);
  expect(load(`${whole.trimEnd()}\n${within(more)}`).oidc).toMatchObject({ signOutAtProvider: true });
  expect(load(whole).oidc).toMatchObject({ signOutAtProvider: false });
});

test('each provider of the page lets in whom it names, by the rule for that', () => {
  const roles = examples.map(({ yaml, claims }) => {
    const { oidc } = load(yaml);
    expect(oidc?.issuer).toBe(claims['iss']);
    return ruleFor(claims, oidc?.roles ?? [])?.role;
  });
  expect(roles).toEqual(['operator', 'operator', 'admin']);
});

test('every option and every code is on the page', () => {
  const { oidc } = load(whole);
  for (const name of [...Object.keys(oidc ?? {}), 'clientSecret', 'clientAuth'])
    expect(text, name).toMatch(new RegExp(`^\\| .*\`${name}\``, 'm'));
  for (const code of [
    'not_invited',
    'sign_in_failed',
    'sign_in_refused',
    'provider_unavailable',
    'provider_wrong',
  ])
    expect(text, code).toMatch(new RegExp(`^\\| \`${code}\``, 'm'));
});
