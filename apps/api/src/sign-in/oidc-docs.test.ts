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
const examples = parts.map((part, index) => {
  const oidc = part.replaceAll(/^/gm, '    ');
  return {
    yaml: `api:\n  oidc:\n    clientId: jetbeat\n${oidc}`,
    claims: JSON.parse(blocks('json')[index] ?? '') as Claims,
  };
});

test('the configuration on the page is read, and has every option that it needs for the address to come back to', () => {
  const { publicUrl, oidc } = load(whole);
  expect(blocks('text')).toEqual([`${publicUrl}/api/v1/session/oidc/callback\n`]);
  expect(oidc).toMatchObject({ name: 'Company login', clientSecretFile: '/run/secrets/jetbeat-oidc' });
  expect(oidc?.roles.map(({ role }) => role)).toEqual(['admin', 'operator', 'viewer']);
});

test('each provider of the page lets in whom it names', () => {
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
