import { type Context, defineTask, Reject } from '@jetbeat/task';
import type { NodemailerError } from 'nodemailer';
import { composeEmail } from './compose-email.ts';
import { EmailInput } from './email-input.ts';
import { configured } from './not-configured.ts';
import { openTransport, type SmtpConfig, SmtpError, smtpRoutes } from './smtp-transport.ts';

/** What `email.send` returns. */
export interface SentEmail {
  /** `<job id@domain of the sender>`: every attempt has the same. */
  readonly messageId: string;
  /** Addresses that the server took. */
  readonly accepted: readonly string[];
  /** Addresses that it refused while it took others. */
  readonly rejected: readonly string[];
}

/** Where the server has judged the message or its recipients, not the connection. */
const JUDGED = new Set(['EENVELOPE', 'EMESSAGE']);
/** RFC 4954, 6: the server takes no mail from whoever has not logged in, or not so. */
const LOGIN_WANTED: ReadonlySet<number> = new Set([530, 534, 535, 538]);

/**
 * `email.send`: hands an e-mail to an SMTP server that the configuration names.
 * @throws InvalidInputError when a configured sender or recipient is none
 */
export function emailSend(section: Readonly<Record<string, SmtpConfig>>) {
  const routes = smtpRoutes(section);
  return defineTask({
    name: 'email.send',
    input: EmailInput,
    async run(input, ctx): Promise<SentEmail> {
      const name = input.transport ?? 'default';
      const { config, from, mayWriteTo } = configured(routes, name, 'smtp');
      const messageId = `<${ctx.job.id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`;
      const message = composeEmail({ input, from, mayWriteTo, messageId });
      const transport = await openTransport(config);
      try {
        const info = await transport.sendMail({ ...message, signal: ctx.signal });
        const sent = { messageId, accepted: info.accepted.map(String), rejected: info.rejected.map(String) };
        if (sent.rejected.length > 0)
          ctx.log.warn({ messageId, rejected: sent.rejected }, 'the SMTP server refused some recipients');
        return sent;
      } catch (error) {
        throw asOutcome(error, name, ctx);
      } finally {
        transport.close();
      }
    },
  });
}

/** RFC 5321, 4.2.1: 5yz is for good, 4yz for now. A server that refuses everybody (login, TLS, greeting) may be mended. */
function asOutcome(thrown: unknown, name: string, ctx: Context): unknown {
  if (ctx.signal.aborted) return ctx.signal.reason;
  const error = thrown as NodemailerError;
  const { code = '', rejectedErrors = [], responseCode = 0 } = error;
  const isLogin = code === 'EAUTH' || code === 'ENOAUTH' || LOGIN_WANTED.has(responseCode);
  if (JUDGED.has(code) && !isLogin) {
    const judgements = rejectedErrors.length > 0 ? rejectedErrors : [error];
    const message = `smtp.${name} refused the e-mail: ${error.message}`;
    // Without a reply of the server it was found here that the server cannot take such an address.
    return judgements.every(({ permanent }) => permanent ?? true)
      ? Reject(message, { code: 'smtp_refused' })
      : new SmtpError('smtp_deferred', message);
  }
  if (isLogin) return new SmtpError('smtp_auth_failed', `smtp.${name} refused the login: ${error.message}`);
  return new SmtpError('smtp_failed', `smtp.${name} (${code || error.name}): ${error.message}`);
}
