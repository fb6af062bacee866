import type { Context } from '@jetbeat/task';
import { manualClock, runTask } from '@jetbeat/task/testing';
import { expect, test } from 'vitest';
import { emailSend } from './email-send.ts';
import { HELLO, send, transport, usePostOffice } from './smtp.fixture.ts';

const office = usePostOffice();

test('an e-mail goes out whole, once, and says who took it', async () => {
  const port = await office.listen();
  const run = await send(transport(port), {
    to: ['Ann <a@example.com>', 'b@EXAMPLE.com'],
    cc: 'c@example.com',
    bcc: 'd@example.com',
    replyTo: 'Help <help@example.org>',
    subject: 'Grüße {{x}}',
    text: 'plain {{x}}',
    html: '<b>rich</b>',
    attachments: [
      { filename: 'a.csv', content: Buffer.from('1,2\n').toString('base64'), contentType: 'text/csv' },
    ],
  });
  expect(run.outcome).toBe('succeeded');
  const all = ['a@example.com', 'b@example.com', 'c@example.com', 'd@example.com'];
  const { messageId, ...who } = run.result as { messageId: string };
  expect(who).toEqual({ accepted: all, rejected: [] });
  expect(messageId).toMatch(/^<[0-9a-f-]{36}@example\.org>$/);
  expect(office.mails).toHaveLength(1);
  const [mail] = office.mails;
  expect(mail).toMatchObject({ from: 'reports@example.org', to: all, secure: false });
  const raw = mail?.raw ?? '';
  expect(raw).toContain(`Message-ID: ${messageId}`);
  expect(raw).toContain('From: Reports <reports@example.org>');
  expect(raw).toContain('To: Ann <a@example.com>, b@example.com');
  expect(raw).toContain('Reply-To: Help <help@example.org>');
  expect(raw).toContain('Auto-Submitted: auto-generated');
  expect(raw).toContain('filename=a.csv');
  expect(raw).toContain(Buffer.from('1,2\n').toString('base64'));
  expect(raw).toContain('plain {{x}}');
  expect(raw).not.toMatch(/^bcc:/im);
  expect(raw).not.toContain('d@example.com');
});

test('placeholders are filled in, escaped in html only, and never read twice', async () => {
  const port = await office.listen();
  const run = await send(transport(port), {
    to: 'a@example.com',
    subject: 'Order {{ order }}',
    text: 'Dear {{name}}, {{again}}',
    html: '<p title="{{name}}">{{ok}}</p>',
    data: { order: 42, name: `<O'Neil> & "co"`, again: '{{order}}', ok: true },
  });
  expect(run.outcome).toBe('succeeded');
  const raw = office.mails[0]?.raw ?? '';
  expect(raw).toContain('Subject: Order 42');
  expect(raw).toContain(`Dear <O'Neil> & "co", {{order}}`);
  expect(raw.replaceAll('=\r\n', '').replaceAll('=3D', '=')).toContain(
    '<p title="&lt;O&#39;Neil&gt; &amp; &quot;co&quot;">true</p>',
  );
});

test.each([
  [{ text: 'Hi {{nmae}}', data: { name: 'x' } }, 'unknown_placeholder', 'text has the placeholder "nmae"'],
  [{ html: '{{constructor}}', data: {} }, 'unknown_placeholder', 'html has the placeholder "constructor"'],
  [{ subject: '{{a}}', data: { a: 'x\r\nBcc: evil@example.com' } }, 'invalid_header', 'subject is one line'],
  [{ subject: 'a\nBcc: evil@example.com' }, 'invalid_header', 'subject is one line'],
  [{ to: 'a@example.com\r\nRCPT TO:<evil@example.com>' }, 'invalid_address', 'to:'],
  [{ to: 'a@example.com, evil@example.com' }, 'invalid_address', 'to:'],
  [{ to: 'a@example.com <evil@example.org> <b@example.com>' }, 'invalid_address', 'to:'],
  [{ to: '"a@x"@example.com' }, 'invalid_address', 'to:'],
  [{ to: 'a@[127.0.0.1]' }, 'invalid_address', 'to:'],
  [{ to: 'nobody' }, 'invalid_address', 'to:'],
  [{ replyTo: 'a@b\nX: y' }, 'invalid_address', 'replyTo:'],
  [{ replyTo: 'A\u2028B <a@b.org>' }, 'invalid_address', 'replyTo:'],
  [{ to: [] }, 'invalid_email', 'recipients, not 0'],
  [{ to: Array(60).fill('a@b.org'), cc: Array(60).fill('a@b.org') }, 'invalid_email', 'not 120'],
  [{ text: undefined }, 'invalid_email', 'text, html or both'],
  [{ text: '{{a}}'.repeat(3_000), data: { a: 'x'.repeat(1_000) } }, 'email_too_large', 'text gets longer'],
  [{ attachments: [{ filename: '../x', content: '' }] }, 'invalid_attachment', 'no name'],
  [{ attachments: [{ filename: 'x\r\nX: y', content: '' }] }, 'invalid_attachment', 'no name'],
  [{ attachments: [{ filename: 'x', content: 'abc!' }] }, 'invalid_attachment', 'no base64'],
  [{ attachments: [{ filename: 'x', content: '', path: '/etc/passwd' }] }, 'invalid_input', 'path'],
  [{ text: { path: '/etc/passwd' } }, 'invalid_input', 'text'],
  [{ html: { href: 'http://127.0.0.1/' } }, 'invalid_input', 'html'],
  [{ transport: 'other' }, 'not_configured', 'smtp.other is not configured on this worker'],
  [{ transport: '__proto__' }, 'not_configured', 'smtp.__proto__'],
])('%j is rejected before anything is sent', async (more, code, why) => {
  const port = await office.listen();
  const run = await send(transport(port), { ...HELLO, ...more });
  expect(run).toMatchObject({ outcome: 'rejected', error: { code } });
  expect(run.error?.message).toContain(why);
  expect(office.mails).toEqual([]);
});

test('without a section the error names what to write', async () => {
  const run = await send({});
  expect(run).toMatchObject({ outcome: 'rejected', error: { code: 'not_configured' } });
  expect(run.error?.message).toContain('smtp.default is not configured');
});

test('only allowed recipients are written to, in to, cc and bcc', async () => {
  const port = await office.listen();
  const allowRecipients = ['Ann@example.com', '*@example.org', '*@*.example.net'];
  const section = transport(port, { allowRecipients });
  for (const address of ['ann@example.com', 'x@Example.ORG', 'x@a.b.example.net'])
    expect((await send(section, { ...HELLO, to: address })).outcome).toBe('succeeded');
  for (const more of [{ to: 'b@example.com' }, { cc: 'x@a.example.org' }, { bcc: 'x@example.net' }])
    expect(await send(section, { ...HELLO, to: 'x@example.org', ...more })).toMatchObject({
      outcome: 'rejected',
      error: { code: 'recipient_not_allowed' },
    });
  expect(office.mails).toHaveLength(3);
});

test.each([
  [{ from: 'nobody' }, '"nobody" is no sender'],
  [{ allowRecipients: ['*@'] }, 'is no recipient'],
  [{ allowRecipients: ['example.org'] }, 'is no recipient'],
])('a configuration with %j is refused at the start', (more, why) => {
  expect(() => emailSend(transport(25, more))).toThrow(why);
});

test('the Message-ID is the job’s own, so every attempt of a job has the same', async () => {
  const port = await office.listen();
  const task = emailSend(transport(port));
  const attempt = () =>
    task.handler(HELLO, { job: { id: 'the-job' }, signal: new AbortController().signal } as Context);
  expect([await attempt(), await attempt()]).toMatchObject(
    Array(2).fill({ messageId: '<the-job@example.org>' }),
  );
  for (const { raw } of office.mails) expect(raw).toContain('Message-ID: <the-job@example.org>');
});

test('the soft limit ends the conversation', async () => {
  const clock = manualClock();
  const arrived = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const port = await office.listen({
    onRcptTo: () => arrived.resolve(),
    onClose: () => gone.resolve(),
  });
  const policy = { timeout: { soft: 1_000, hard: 2_000 } };
  const run = runTask(emailSend(transport(port)), HELLO, { clock, policy });
  await arrived.promise;
  clock.advance(1_000);
  expect(await run).toMatchObject({ outcome: 'timed-out', error: { code: 'soft_time_limit' } });
  await gone.promise;
});
