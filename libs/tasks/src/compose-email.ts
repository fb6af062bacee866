import { Reject } from '@jetbeat/task';
import type { SendMailOptions } from 'nodemailer';
import { breaksHeader, type Mailbox, parseMailbox } from './email-address.ts';
import type { EmailInput } from './email-input.ts';
import { escapeHtml, fill } from './template.ts';

/** Recipients of one e-mail, of all three kinds. */
const MAX_RECIPIENTS = 100;
const MAX_SUBJECT = 998;

/**
 * Makes the message, addresses as parts and contents as bytes, so that nothing in it is read as a path, an URL or a
 * header of its own.
 * @throws OnPurposeError (rejected) naming what cannot be sent
 */
export function composeEmail(params: {
  readonly input: EmailInput;
  readonly from: Mailbox;
  readonly mayWriteTo: (address: string) => boolean;
  /** The same for every attempt, so that a repeat can be recognised. */
  readonly messageId: string;
}): SendMailOptions {
  const { input, from, mayWriteTo, messageId } = params;
  const { to, cc, bcc } = recipients(input, mayWriteTo);
  if (input.text === undefined && input.html === undefined)
    throw Reject('an e-mail needs text, html or both', { code: 'invalid_email' });
  const subject = filled(input, 'subject', input.subject);
  if (breaksHeader(subject) || subject.length > MAX_SUBJECT)
    throw Reject(`subject is one line of at most ${MAX_SUBJECT} characters`, { code: 'invalid_header' });
  return {
    from,
    to,
    cc,
    bcc,
    ...(input.replyTo === undefined ? {} : { replyTo: mailbox('replyTo', input.replyTo) }),
    subject,
    ...(input.text === undefined ? {} : { text: filled(input, 'text', input.text) }),
    ...(input.html === undefined ? {} : { html: filled(input, 'html', input.html) }),
    attachments: (input.attachments ?? []).map(attachment),
    messageId,
    // RFC 3834: no holiday notice answers it.
    headers: { 'Auto-Submitted': 'auto-generated' },
    xMailer: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function recipients(input: EmailInput, mayWriteTo: (address: string) => boolean) {
  const read = (field: 'to' | 'cc' | 'bcc') =>
    [input[field] ?? []].flat().map((text) => mailbox(field, text));
  const found = { to: read('to'), cc: read('cc'), bcc: read('bcc') };
  const all = [...found.to, ...found.cc, ...found.bcc];
  if (all.length === 0 || all.length > MAX_RECIPIENTS)
    throw Reject(`an e-mail has 1 to ${MAX_RECIPIENTS} recipients, not ${all.length}`, {
      code: 'invalid_email',
    });
  const refused = all.find(({ address }) => !mayWriteTo(address));
  if (refused)
    throw Reject(
      `${refused.address} may not be written to: add it to allowRecipients of this transport in jetbeat.yaml`,
      { code: 'recipient_not_allowed' },
    );
  return found;
}

function mailbox(field: string, text: string): Mailbox {
  const found = parseMailbox(text);
  if (found) return found;
  throw Reject(
    `${field}: ${JSON.stringify(text)} is no address: write a@example.org or Name <a@example.org>`,
    { code: 'invalid_address' },
  );
}

function filled({ data }: EmailInput, place: 'subject' | 'text' | 'html', template: string): string {
  if (data === undefined) return template;
  return fill({ template, data, place, ...(place === 'html' ? { escapeValue: escapeHtml } : {}) });
}

function attachment(given: NonNullable<EmailInput['attachments']>[number]) {
  const { filename, content, contentType, cid } = given;
  if (breaksHeader(filename) || /[/\\]/.test(filename))
    throw Reject(`${JSON.stringify(filename)} is no name of an attachment`, { code: 'invalid_attachment' });
  if (content.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(content))
    throw Reject(`the content of the attachment ${JSON.stringify(filename)} is no base64`, {
      code: 'invalid_attachment',
    });
  return {
    filename,
    content: Buffer.from(content, 'base64'),
    ...(contentType === undefined ? {} : { contentType }),
    ...(cid === undefined ? {} : { cid }),
  };
}
