import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CERTIFICATE, HELLO, KEY, send, transport, usePostOffice } from './smtp.fixture.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const refuse = (code: number, text: string) => Object.assign(new Error(text), { responseCode: code });
const office = usePostOffice();

describe('what the server says', () => {
  test.each([
    [550, 'rejected', 'smtp_refused'],
    [451, 'failed', 'smtp_deferred'],
    [530, 'failed', 'smtp_auth_failed'],
  ])('%i to every recipient: %s', async (status, outcome, code) => {
    const port = await office.listen({
      onRcptTo: (_address, _session, done) => done(refuse(status, 'no such user')),
    });
    const run = await send(transport(port));
    expect(run).toMatchObject({ outcome, error: { code } });
    expect(run.error?.message).toContain('smtp.default refused');
  });

  test('a message is tried again as long as one recipient may still be reached', async () => {
    const port = await office.listen({
      onRcptTo: ({ address }, _session, done) => done(refuse(address.startsWith('a') ? 550 : 451, 'no')),
    });
    const run = await send(transport(port), { ...HELLO, to: ['b@example.com', 'a@example.com'] });
    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'smtp_deferred' } });
  });

  test('some recipients refused: the others have it, and the result and the log tell', async () => {
    const port = await office.listen({
      onRcptTo: ({ address }, _session, done) => done(address.startsWith('b') ? refuse(550, 'no') : null),
    });
    const run = await send(transport(port), { ...HELLO, to: ['a@example.com', 'b@example.com'] });
    expect(run).toMatchObject({
      outcome: 'succeeded',
      result: { accepted: ['a@example.com'], rejected: ['b@example.com'] },
    });
    expect(run.logged).toMatchObject([{ level: 'warn', fields: { rejected: ['b@example.com'] } }]);
  });

  test.each([
    [554, 'rejected', 'smtp_refused'],
    [452, 'failed', 'smtp_deferred'],
  ])('%i to the message: %s', async (status, outcome, code) => {
    const port = await office.listen({
      onData(stream, _session, done) {
        stream.resume();
        stream.on('end', () => done(refuse(status, 'we do not like it')));
      },
    });
    expect(await send(transport(port))).toMatchObject({ outcome, error: { code } });
  });

  test('a server that refuses everybody may be mended: tried again', async () => {
    const port = await office.listen({ onConnect: (_session, done) => done(refuse(554, 'go away')) });
    expect(await send(transport(port))).toMatchObject({ outcome: 'failed', error: { code: 'smtp_failed' } });
  });

  test('no server: tried again', async () => {
    const port = await office.listen();
    await office.close();
    const run = await send(transport(port));
    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'smtp_failed' } });
    expect(run.error?.message).toContain('ECONNREFUSED');
  });
});

describe('login and TLS', () => {
  const tls = async (): Promise<SMTPServerOptions> => ({
    cert: await readFile(CERTIFICATE),
    key: await readFile(KEY),
    hideSTARTTLS: false,
    disabledCommands: [],
    authOptional: false,
    onAuth: ({ username, password }, _session, done) =>
      password === 'hunter2' ? done(null, { user: username }) : done(new Error('wrong password')),
  });

  test.each([false, true])(
    'with secure %s the password goes out under TLS only, from its file',
    async (secure) => {
      const port = await office.listen({ ...(await tls()), secure });
      const passwordFile = join(dir, 'password');
      const section = transport(port, { secure, ca: CERTIFICATE, user: 'me', passwordFile });
      const unread = await send(section);
      expect(unread).toMatchObject({ outcome: 'failed', error: { code: 'smtp_file_unreadable' } });
      await writeFile(passwordFile, 'wrong\n');
      const refused = await send(section);
      expect(refused).toMatchObject({ outcome: 'failed', error: { code: 'smtp_auth_failed' } });
      await writeFile(passwordFile, 'hunter2\n');
      expect((await send(section)).outcome).toBe('succeeded');
      expect(office.mails).toMatchObject([{ secure: true, user: 'me' }]);
      expect(JSON.stringify([unread, refused])).not.toMatch(/hunter2|"wrong"/);
    },
  );

  test('a server without TLS never gets the password', async () => {
    let logins = 0;
    const port = await office.listen({
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => {
        logins++;
        done(null, { user: 'me' });
      },
    });
    const login = { user: 'me', password: 'hunter2' };
    const run = await send(transport(port, login));
    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'smtp_failed' } });
    expect(JSON.stringify(run)).not.toContain('hunter2');
    expect(logins).toBe(0);
    expect((await send(transport(port, { ...login, requireTls: false }))).outcome).toBe('succeeded');
    expect(logins).toBe(1);
  });

  test('a certificate that nobody vouches for is not taken', async () => {
    const port = await office.listen({ ...(await tls()), secure: true });
    const run = await send(transport(port, { secure: true, user: 'me', password: 'hunter2' }));
    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'smtp_failed' } });
    expect(run.error?.message).toMatch(/certificate/);
    expect(office.mails).toEqual([]);
  });
});
