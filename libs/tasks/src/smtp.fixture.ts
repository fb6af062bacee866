import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { runTask, type TaskRun } from '@jetbeat/task/testing';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach } from 'vitest';
import type { EmailInput } from './email-input.ts';
import { emailSend } from './email-send.ts';
import type { SmtpConfig } from './smtp-transport.ts';

const FIXTURES = resolve(import.meta.dirname, 'fixtures');
/** Of localhost and 127.0.0.1, signed by itself, valid until 2126; for tests only. */
export const CERTIFICATE: string = join(FIXTURES, 'localhost-cert.pem');
export const KEY: string = join(FIXTURES, 'localhost-key.pem');
export const HELLO: EmailInput = { to: 'a@example.com', subject: 'Hello', text: 'Hi' };

const PLAIN: SMTPServerOptions = { authOptional: true, hideSTARTTLS: true, disabledCommands: ['STARTTLS'] };

/** An e-mail that a server took. */
export interface Mail {
  readonly from: string;
  readonly to: string[];
  readonly raw: string;
  readonly secure: boolean;
  readonly user: unknown;
}

/** An SMTP server of a test. */
interface PostOffice {
  readonly port: number;
  readonly mails: Mail[];
  close(): Promise<void>;
}

/** Starts a server without TLS and login, unless told otherwise. */
async function openPostOffice(options: SMTPServerOptions = {}): Promise<PostOffice> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    ...PLAIN,
    closeTimeout: 100,
    disableReverseLookup: true,
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString(),
          secure: session.secure,
          user: session.user,
        });
        callback();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  const listener = server.listen(0, '127.0.0.1');
  await new Promise((done) => listener.once('listening', done));
  const { port } = listener.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    port,
    mails,
    close: () => (closed ??= new Promise<void>((done) => server.close(() => done()))),
  };
}

/** The section `smtp` with one server. */
export function transport(port: number, more: Partial<SmtpConfig> = {}): Record<string, SmtpConfig> {
  return { default: { host: '127.0.0.1', port, from: 'Reports <reports@example.org>', ...more } };
}

/** Runs `email.send`. */
export function send(section: Record<string, SmtpConfig>, input: object = HELLO): Promise<TaskRun> {
  return runTask(emailSend(section), input as EmailInput);
}

/** A server for one test at a time, which is closed after it. */
export function usePostOffice(): {
  /** Starts it; returns its port. */
  listen(options?: SMTPServerOptions): Promise<number>;
  /** What it took in this test. */
  readonly mails: Mail[];
  /** Closes it before the test is over. */
  close(): Promise<void>;
} {
  let office: PostOffice | undefined;
  const close = async () => office?.close();
  afterEach(async () => {
    await close();
    office = undefined;
  });
  return {
    close,
    get mails() {
      return office?.mails ?? [];
    },
    async listen(options = {}) {
      office = await openPostOffice(options);
      return office.port;
    },
  };
}
