import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Place, startPlace } from './http.fixture.ts';
import { openHttpAgent } from './http-agent.ts';
import { nextHop } from './redirect.ts';

let place: Place;
beforeEach(async () => {
  place = await startPlace();
});
afterEach(() => place.close());

const redirect = (status: number, to: string) => (response: ServerResponse) =>
  response.writeHead(status, { location: to }).end();

test('as many are followed as were asked for, and the result says who answered', async () => {
  place.handler = (request, response) => {
    const left = Number(request.url?.slice(1));
    if (left > 0) redirect(302, `/${left - 1}`)(response);
    else response.end('there');
  };
  expect(await place.call({ url: `${place.origin}/3`, redirects: 3 })).toMatchObject({
    outcome: 'succeeded',
    result: { status: 200, body: 'there', url: `${place.origin}/0` },
  });
  const tooFew = await place.call({ url: `${place.origin}/3`, redirects: 2 });
  expect(tooFew.outcome).toBe('rejected');
  expect(tooFew.error?.message).toContain(`2 redirects were followed, this one leads to ${place.origin}/0`);
  expect(await place.call({ url: `${place.origin}/3`, redirects: 1, expectStatus: 302 })).toMatchObject({
    outcome: 'succeeded',
    result: { status: 302, url: `${place.origin}/2` },
  });
});

test.each([
  [301, 'POST', 'GET ', false],
  [303, 'PUT', 'GET ', false],
  [307, 'POST', 'POST secret', true],
  [308, 'PUT', 'PUT secret', true],
  [302, 'PUT', 'PUT secret', true],
] as const)('%i of a %s becomes %j', async (status, method, seen, hasType) => {
  let type: string | undefined;
  place.handler = (request, response, body) => {
    if (request.url === '/a') return redirect(status, '/b')(response);
    type = request.headers['content-type'];
    return response.end(`${request.method} ${body}`);
  };
  const headers = { 'content-type': 'text/x' };
  const { result } = await place.call({
    url: `${place.origin}/a`,
    method,
    headers,
    body: 'secret',
    redirects: 1,
  });
  expect((result as { body: string }).body).toBe(seen);
  expect(type).toBe(hasType ? 'text/x' : undefined);
});

test('another origin gets nothing that could be a credential, nor does the first one after it', async () => {
  const seen: IncomingMessage['headers'][] = [];
  place.handler = (request, response) => {
    seen.push(request.headers);
    if (request.url === '/a') return redirect(307, '/b')(response);
    if (request.url === '/b') return redirect(307, `http://localhost:${place.port}/c`)(response);
    if (request.url === '/c') return redirect(307, `${place.origin}/d`)(response);
    return response.end();
  };
  const headers = { Authorization: 'Bearer x', cookie: 'a=b', 'X-Api-Key': 'k', accept: 'text/plain' };
  const run = await place.call({ url: `${place.origin}/a`, headers, redirects: 3 });
  expect(run.outcome).toBe('succeeded');
  expect(seen.map((each) => [each.authorization, each.cookie, each['x-api-key']])).toEqual([
    ['Bearer x', 'a=b', 'k'],
    ['Bearer x', 'a=b', 'k'],
    [undefined, undefined, undefined],
    [undefined, undefined, undefined],
  ]);
  expect(seen.map((each) => each.accept)).toEqual(Array(4).fill('text/plain'));
});

test.each([
  ['http://10.0.0.1/', 'http_not_allowed', 'http.allowHosts'],
  ['http://169.254.169.254/latest/meta-data', 'http_not_allowed', 'http.allowHosts'],
  ['//example.com/', 'http_not_allowed', 'http.allowHosts'],
  ['file:///etc/passwd', 'redirect_refused', 'no http or https'],
  ['http://user:pw@127.0.0.1/', 'redirect_refused', 'credentials'],
  ['http://', 'redirect_refused', 'no http or https'],
])('one to %s is refused', async (to, code, why) => {
  place.handler = (_request, response) => redirect(302, to)(response);
  const run = await place.call({ url: place.origin, redirects: 5 });
  expect(run).toMatchObject({ outcome: 'rejected', error: { code } });
  expect(run.error?.message).toContain(why);
  expect(place.hits).toBe(1);
});

test('what a name stands for is checked at every hop', async () => {
  place.handler = (_request, response) => redirect(302, 'http://b.example.org/')(response);
  const addresses: Record<string, string> = { 'a.example.org': '127.0.0.1', 'b.example.org': '10.0.0.1' };
  const of = openHttpAgent({ allowHosts: ['*.example.org'], allowLoopback: true }, (host, _, callback) =>
    callback(null, [{ address: addresses[host] ?? '', family: 4 }]),
  );
  const run = await place.call({ url: `http://a.example.org:${place.port}/`, redirects: 1 }, of);
  await of.close();
  expect(run).toMatchObject({ outcome: 'rejected', error: { code: 'http_not_allowed' } });
  expect(run.error?.message).toContain('private address 10.0.0.1');
});

test('from https to http none is followed', () => {
  const hop = { url: new URL('https://a.example/'), method: 'GET', headers: {}, body: null };
  expect(() => nextHop(hop, 302, 'http://a.example/')).toThrow('it leads from https to http://a.example');
  expect(nextHop(hop, 302, '/x').url.href).toBe('https://a.example/x');
});

test('an endless chain ends with the time limit of the whole', async () => {
  place.handler = (_request, response) => {
    setTimeout(() => redirect(302, '/again')(response), 20);
  };
  const run = await place.call({ url: place.origin, redirects: 10, timeout: '70ms' });
  expect(run).toMatchObject({ outcome: 'failed', error: { code: 'http_timeout' } });
});

test('what a redirect that is not followed carries in its query is in no error', async () => {
  for (const [location, told] of [
    ['https://x.example/cb?token=secret#secret', 'https://x.example/cb'],
    ['/cb?token=secret', `${place.origin}/cb`],
    ['https://secret:secret@x.example/cb', 'https://x.example/cb'],
    ['data:text/plain,secret', 'an address of data:'],
    ['http://[secret', 'no address'],
  ] as const) {
    place.handler = (_request, response) => response.writeHead(302, { location }).end();
    const { error } = await place.call({ url: `${place.origin}/in?key=secret` });
    expect(error?.message.endsWith(`this one leads to ${told}`)).toBe(true);
    expect(JSON.stringify(error)).not.toContain('secret');
  }
});
