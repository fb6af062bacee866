import { expect, test } from 'vitest';
import { hostRule } from './host-rule.ts';

const rule = hostRule({
  allowHosts: ['API.example.com.', '*.example.org', '10.1.2.3', '[fd00::1]', '169.254.1.1', 'localhost'],
  allowLoopback: false,
});
const open = hostRule({ allowHosts: [], allowLoopback: true });

test.each([
  'api.example.com',
  'API.EXAMPLE.COM.',
  'a.example.org',
  'a.b.example.org',
  '10.1.2.3',
  '[fd00::1]',
])('%s is allowed', (host) => {
  expect(rule.refuseHost(host)).toBeUndefined();
});

test.each(['example.com', 'x.api.example.com', 'example.org', 'badexample.org', '10.1.2.4', 'evil.com', ''])(
  '%s is not, and the message names the setting',
  (host) => {
    expect(rule.refuseHost(host)?.message).toContain(
      'add it to http.allowHosts in jetbeat.yaml, and restart the worker',
    );
  },
);

test('loopback is a setting of its own, whatever is listed', () => {
  for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '[::1]', '::ffff:127.0.0.1']) {
    expect(rule.refuseHost(host)?.message).toContain('set http.allowLoopback to true');
    expect(open.refuseHost(host)).toBeUndefined();
  }
  expect(rule.refuseAddress('api.example.com', '127.0.0.1')?.message).toContain(
    'stands for this machine (127.0.0.1)',
  );
  expect(open.refuseAddress('localhost', '::1')).toBeUndefined();
});

test('a name that should be this machine and is not is refused', () => {
  expect(open.refuseAddress('a.localhost', '8.8.8.8')?.message).toContain('must stay on this machine');
});

test('a private address needs the host itself in the list, not a pattern', () => {
  expect(rule.refuseAddress('api.example.com', '10.0.0.1')).toBeUndefined();
  expect(rule.refuseAddress('10.1.2.3', '10.1.2.3')).toBeUndefined();
  expect(rule.refuseAddress('a.example.org', '10.0.0.1')?.message).toBe(
    'a.example.org stands for the private address 10.0.0.1: list "a.example.org" itself in http.allowHosts in jetbeat.yaml to allow that',
  );
  expect(rule.refuseAddress('a.example.org', '8.8.8.8')).toBeUndefined();
});

test('a link-local address is reached by itself only, an unusable one never', () => {
  expect(rule.refuseAddress('api.example.com', '169.254.169.254')?.message).toContain('link-local');
  expect(rule.refuseAddress('169.254.1.1', '169.254.1.1')).toBeUndefined();
  expect(rule.refuseAddress('api.example.com', '169.254.1.1')?.code).toBe('http_not_allowed');
  expect(rule.refuseAddress('api.example.com', '0.0.0.0')?.message).toContain('no setting allows that');
  expect(rule.refuseHost('[::]')?.message).toContain('no setting allows that');
});

test.each(['http://a.com', 'a.com:80', 'a.com/x', '*', '*.', 'a.*.com', 'a b', '', '-a.com'])(
  '%j is no host',
  (entry) => {
    expect(() => hostRule({ allowHosts: [entry], allowLoopback: false })).toThrow('is no host');
  },
);
