import { runTask } from '@jetbeat/task/testing';
import { expect, onTestFinished, test } from 'vitest';
import { openHttpAgent } from './http-agent.ts';
import { httpRequest } from './http-request.ts';

type Input = Parameters<ReturnType<typeof httpRequest>['check']>[0];

/** Runs it with an agent of its own, which may reach no host but perhaps this one. */
function call(input: Input, { allowLoopback }: { allowLoopback: boolean }) {
  const agent = openHttpAgent({ allowHosts: [], allowLoopback });
  onTestFinished(() => agent.close());
  return runTask(httpRequest(agent), input as { url: string });
}

test.each([
  ['http://2130706433/', 'http.allowLoopback'],
  ['http://0x7f.1/', 'http.allowLoopback'],
  ['http://[::ffff:127.0.0.1]/', 'http.allowLoopback'],
  ['http://0.0.0.0/', 'no setting allows that'],
  ['http://169.254.169.254/latest/meta-data', 'http.allowHosts'],
  ['http://example.com/', 'http.allowHosts'],
])('%s is refused without a connection: %s', async (url, why) => {
  const run = await call({ url }, { allowLoopback: false });
  expect(run).toMatchObject({ outcome: 'rejected', error: { code: 'http_not_allowed' } });
  expect(run.error?.message).toContain(why);
});

test.each([
  [{ url: 'ftp://127.0.0.1/' }, 'invalid_input'],
  [{ url: 'http://' }, 'invalid_url'],
  [{ url: 'http://user:pw@127.0.0.1/' }, 'invalid_url'],
  [{ url: 'http://127.0.0.1/', headers: { Host: 'a' } }, 'invalid_header'],
  [{ url: 'http://127.0.0.1/', headers: { a: 'b\r\nc: d' } }, 'invalid_header'],
  [{ url: 'http://127.0.0.1/', headers: { 'a b': 'c' } }, 'invalid_header'],
  [{ url: 'http://127.0.0.1/', timeout: 'soon' }, 'invalid_input'],
  [{ url: 'http://127.0.0.1/', method: 'BREW' }, 'invalid_input'],
  [{ url: 'http://127.0.0.1/', expectStatus: '9xx' }, 'invalid_input'],
  [{ url: 'http://127.0.0.1/', followRedirects: true }, 'invalid_input'],
])('%j is rejected', async (input, code) => {
  expect(await call(input, { allowLoopback: true })).toMatchObject({ outcome: 'rejected', error: { code } });
});
