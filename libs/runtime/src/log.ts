import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
import type { AppName, Config } from './config.ts';

/** The log of a process: pino, one JSON object per line. `log.child({ job, run, traceId })` names what a line is about. */
export type Log = Logger;

/** Fields that never reach a log, wherever an object at hand has them. */
const SECRET_FIELDS = ['authorization', 'cookie', 'password', 'secret', 'token', 'apiKey'];
/** A password or token in an address, and the secret part of an API key, also inside of texts (an error's message, a stack). */
const SECRET_TEXTS: readonly [RegExp, string][] = [
  [/(\w:\/\/[^\s:/@"]{0,256}:)[^\s@"/]{1,512}@/g, '$1***@'],
  // NATS takes a token in the place of a user.
  [/\b((?:nats|tls|wss?):\/\/)[^\s:@"/]{1,512}@/g, '$1***@'],
  [/\b(jb_[A-Za-z0-9]{1,32}_)[A-Za-z0-9_-]{32,128}/g, '$1***'],
];

/** Makes the log of a process. Secrets are taken out by field name, and once more in the finished line. */
export function createLog(params: {
  app: AppName;
  level: Config['log']['level'];
  destination?: DestinationStream;
}): Log {
  const { app, level, destination } = params;
  const options = {
    level,
    base: { app, pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '***',
    },
    serializers: { err: describeError },
    hooks: { streamWrite: withoutSecrets },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** Messages here say their cause already: pino's other serializer would say it once more. */
function describeError(error: Error): unknown {
  const described = stdSerializers.errWithCause(error);
  // What history keeps of an error is no instance of a class any more; its name is that of the class.
  const isStored = typeof error === 'object' && error !== null && !(error instanceof Error);
  return isStored && typeof (error as { name?: unknown }).name === 'string'
    ? { ...described, type: (error as { name: string }).name }
    : described;
}

function withoutSecrets(line: string): string {
  return SECRET_TEXTS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line);
}
