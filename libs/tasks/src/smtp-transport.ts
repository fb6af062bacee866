import { readFile } from 'node:fs/promises';
import { JetbeatError } from '@jetbeat/core';
import { configuredSender, type Mailbox, recipientRule } from './email-address.ts';

/** An SMTP server, as the configuration names it. */
export interface SmtpConfig {
  readonly host: string;
  readonly port?: number;
  /** TLS from the first byte; else STARTTLS where the server offers it. */
  readonly secure?: boolean;
  /** Send nothing without TLS; by default where there is a user. */
  readonly requireTls?: boolean;
  /** Path of the certificate of the authority that signed the server's. */
  readonly ca?: string;
  readonly user?: string;
  readonly password?: string;
  readonly passwordFile?: string;
  readonly from: string;
  readonly allowRecipients?: readonly string[];
}

/** A configured server, ready to be sent through. */
export interface SmtpRoute {
  readonly config: SmtpConfig;
  readonly from: Mailbox;
  readonly mayWriteTo: (address: string) => boolean;
}

/** An e-mail could not be handed over now; the next attempt may. */
export class SmtpError extends JetbeatError {}

const CONNECT_TIMEOUT_MS = 10_000;
const GREETING_TIMEOUT_MS = 15_000;
/** Without a byte from the server. */
const IDLE_TIMEOUT_MS = 60_000;

/**
 * Checks the servers that the configuration names.
 * @throws InvalidInputError when a sender or an allowed recipient is none
 */
export function smtpRoutes(
  section: Readonly<Record<string, SmtpConfig>>,
): Readonly<Record<string, SmtpRoute>> {
  return Object.fromEntries(
    Object.entries(section).map(([name, config]) => [
      name,
      {
        config,
        from: configuredSender(config.from, `/smtp/${name}/from`),
        mayWriteTo: recipientRule(config.allowRecipients, `/smtp/${name}/allowRecipients`),
      },
    ]),
  );
}

/**
 * Opens a way to the server for one e-mail. Passwords are read anew, so that a changed one needs no restart.
 * @throws SmtpError when a file of the configuration cannot be read
 */
export async function openTransport(config: SmtpConfig) {
  const { host, port, secure = false, user, passwordFile, ca } = config;
  const pass = passwordFile === undefined ? config.password : (await read(passwordFile)).trim();
  // Most workers send none, and start sooner without it.
  const { createTransport } = await import('nodemailer');
  return createTransport({
    host,
    secure,
    ...(port === undefined ? {} : { port }),
    requireTLS: !secure && (config.requireTls ?? user !== undefined),
    ...(user === undefined || pass === undefined ? {} : { auth: { user, pass }, forceAuth: true }),
    ...(ca === undefined ? {} : { tls: { ca: await read(ca) } }),
    dnsTimeout: CONNECT_TIMEOUT_MS,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: GREETING_TIMEOUT_MS,
    socketTimeout: IDLE_TIMEOUT_MS,
    maxResponseSize: 65_536,
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
  });
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new SmtpError('smtp_file_unreadable', `cannot read ${path}, which jetbeat.yaml names`, { cause });
  }
}
