import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTask } from '@jetbeat/task/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Place, startPlace } from './http.fixture.ts';
import { openHttpAgent } from './http-agent.ts';
import { httpRequest } from './http-request.ts';
import { createSign } from './sign-request.ts';

let dir: string;
let place: Place;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-sign-'));
  place = await startPlace();
});
afterEach(async () => {
  await place.close();
  await rm(dir, { recursive: true, force: true });
});

const hex = (secret: string, text: string) => createHmac('sha256', secret).update(text).digest('hex');

test('the signature is of the time in seconds, a dot and the body', async () => {
  const sign = createSign({ it: { secret: 'key' } });
  const headers = await sign({ name: 'it', host: 'a.example', body: '{"a":1}', now: 1_700_000_000_999 });
  // As `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key` says.
  expect(headers).toEqual({
    'jetbeat-timestamp': '1700000000',
    'jetbeat-signature': `v1=${hex('key', '1700000000.{"a":1}')}`,
  });
});

test('a signed request carries it, whatever the job says, and the secret of a file is read anew', async () => {
  const secretFile = join(dir, 'secret');
  await writeFile(secretFile, 'first\n');
  const seen: { headers: IncomingHttpHeaders; body: string }[] = [];
  place.handler = ({ headers }, response, body) => {
    seen.push({ headers, body });
    response.end();
  };
  const agent = openHttpAgent({ allowHosts: [], allowLoopback: true });
  const task = httpRequest(agent, { it: { secretFile } });
  const input = {
    method: 'POST' as const,
    url: place.origin,
    body: { n: 'é' },
    sign: 'it',
    headers: { 'Jetbeat-Signature': 'forged', 'Jetbeat-Timestamp': '1' },
  };
  try {
    expect(await runTask(task, input)).toMatchObject({ outcome: 'succeeded' });
    await writeFile(secretFile, 'second');
    expect(await runTask(task, { ...input, body: 'text' })).toMatchObject({ outcome: 'succeeded' });
    for (const [index, secret] of ['first', 'second'].entries()) {
      const { headers, body } = seen[index] ?? { headers: {}, body: '' };
      expect(body).toBe(['{"n":"é"}', 'text'][index]);
      expect(Number(headers['jetbeat-timestamp'])).toBeGreaterThan(1_700_000_000);
      expect(headers['jetbeat-signature']).toBe(
        `v1=${hex(secret, `${headers['jetbeat-timestamp']}.${body}`)}`,
      );
    }
    await rm(secretFile);
    expect(await runTask(task, input)).toMatchObject({
      outcome: 'failed',
      error: { code: 'secret_unreadable' },
    });
    await writeFile(secretFile, '\n');
    expect(await runTask(task, input)).toMatchObject({
      outcome: 'failed',
      error: { code: 'secret_unreadable' },
    });
    expect(await runTask(task, { ...input, sign: 'other' })).toMatchObject({
      outcome: 'rejected',
      error: { code: 'not_configured', message: expect.stringContaining('webhooks.secrets.other') },
    });
    expect(seen).toHaveLength(2);
  } finally {
    await agent.close();
  }
});

test('another server is not told the signature', async () => {
  const other = await startPlace();
  const seen: IncomingHttpHeaders[] = [];
  other.handler = ({ headers }, response) => {
    seen.push(headers);
    response.end();
  };
  place.handler = (_request, response) => response.writeHead(307, { location: other.origin }).end();
  const agent = openHttpAgent({ allowHosts: [], allowLoopback: true });
  try {
    const task = httpRequest(agent, { it: { secret: 'key' } });
    const input = { method: 'POST' as const, url: place.origin, body: 1, sign: 'it', redirects: 1 };
    expect(await runTask(task, input)).toMatchObject({ outcome: 'succeeded' });
    expect(seen).toHaveLength(1);
    expect(seen[0]).not.toHaveProperty('jetbeat-signature');
  } finally {
    await agent.close();
    await other.close();
  }
});

test('a secret that is for some hosts signs nothing for others, whatever else requests may go to', async () => {
  const agent = openHttpAgent({ allowHosts: [], allowLoopback: true });
  const task = httpRequest(agent, {
    shop: { secret: 'key', hosts: ['shop.example.org', '*.pay.example.org'] },
    here: { secret: 'key', hosts: ['127.0.0.1'] },
  });
  try {
    const input = { method: 'POST' as const, url: place.origin, body: { event: 'job.succeeded' } };
    expect(await runTask(task, { ...input, sign: 'shop' })).toMatchObject({
      outcome: 'rejected',
      error: { code: 'sign_not_allowed', message: expect.stringContaining('webhooks.secrets.shop') },
    });
    expect(place.hits).toBe(0);
    expect(await runTask(task, { ...input, sign: 'here' })).toMatchObject({ outcome: 'succeeded' });
  } finally {
    await agent.close();
  }
  const sign = createSign({ it: { secret: 'key', hosts: ['shop.example.org', '*.pay.example.org'] } });
  const signs = (host: string) => sign({ name: 'it', host, body: '', now: 0 }).then(Object.keys);
  for (const host of ['shop.example.org', 'SHOP.example.org.', 'eu.pay.example.org'])
    expect(await signs(host)).toHaveLength(2);
  for (const host of ['pay.example.org', 'shop.example.org.evil.example', 'xshop.example.org'])
    await expect(signs(host)).rejects.toMatchObject({ code: 'sign_not_allowed' });
  expect(() => createSign({ it: { secret: 'key', hosts: ['https://shop.example.org'] } })).toThrow(
    expect.objectContaining({ code: 'invalid_input' }),
  );
});
