import { expect, test } from 'vitest';
import { returnPath } from './return-path.ts';

test.each([
  '/',
  '/docs',
  '/jobs?state=dead&queue=mail#top',
  '/a/b%2Fc',
  '/über',
  '/x?next=https://example.org',
])('%s is a page of this server', (path) => {
  expect(new URL(returnPath(path), 'http://h').href).toBe(new URL(path, 'http://h').href);
});

test.each([
  undefined,
  '',
  'docs',
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/x\\..\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '\u0000/docs',
  ' /docs',
  '/a/..//evil.example',
  '/.//evil.example',
  '/%2e//evil.example',
  '/./\\evil.example',
  'https://evil.example',
  'https:evil.example',
  'javascript:alert(1)',
  'data:text/html,x',
  '/docs\r\nSet-Cookie: a=b',
  '/api/v1/session/oidc',
  '/API/v1/jobs',
  '/x/../api/v1/session/oidc',
  `/${'x'.repeat(2_000)}`,
  `/${'ü'.repeat(300)}`,
])('%j leads home', (path) => {
  expect(returnPath(path)).toBe('/');
});
