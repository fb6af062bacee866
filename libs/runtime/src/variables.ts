import { readFileSync } from 'node:fs';
import { ConfigError } from './config-error.ts';
import { nearest } from './nearest.ts';

interface Variable {
  /** Its place in the file. */
  readonly path: string;
  readonly kind?: 'number' | 'boolean' | 'list';
  /** A secret may also come as the content of the file named by `NAME_FILE`. */
  readonly secret?: true;
}

const PREFIX = 'JETBEAT_';

/** Every environment variable of ours and its place in `jetbeat.yaml`. `JETBEAT_CONFIG` names that file. */
const VARIABLES: Readonly<Record<string, Variable>> = {
  JETBEAT_NAMESPACE: { path: 'namespace' },
  JETBEAT_NATS_URL: { path: 'nats.url', secret: true },
  JETBEAT_NATS_CREDS: { path: 'nats.creds' },
  JETBEAT_NATS_CA: { path: 'nats.ca' },
  JETBEAT_STORAGE_LIMIT: { path: 'storage.limit' },
  JETBEAT_STORAGE_EVENTS: { path: 'storage.events' },
  JETBEAT_DATABASE_URL: { path: 'database.url', secret: true },
  JETBEAT_HOST: { path: 'host' },
  JETBEAT_PORT: { path: 'port', kind: 'number' },
  JETBEAT_HEALTH_PORT: { path: 'healthPort', kind: 'number' },
  JETBEAT_LOG_LEVEL: { path: 'log.level' },
  JETBEAT_QUEUES: { path: 'worker.queues', kind: 'list' },
  JETBEAT_CONCURRENCY: { path: 'worker.concurrency', kind: 'number' },
  JETBEAT_TASKS: { path: 'worker.tasks', kind: 'list' },
  JETBEAT_DRAIN: { path: 'worker.drain' },
  JETBEAT_ACK_WAIT: { path: 'ackWait' },
  JETBEAT_HTTP_ALLOW_HOSTS: { path: 'http.allowHosts', kind: 'list' },
  JETBEAT_HTTP_ALLOW_LOOPBACK: { path: 'http.allowLoopback', kind: 'boolean' },
  JETBEAT_SMTP_PASSWORD: { path: 'smtp.default.password', secret: true },
  JETBEAT_POSTGRES_URL: { path: 'postgres.connections.main.url', secret: true },
  JETBEAT_TLS_CERT: { path: 'api.tls.cert' },
  JETBEAT_TLS_KEY: { path: 'api.tls.key' },
  JETBEAT_TRUSTED_PROXIES: { path: 'api.trustedProxies', kind: 'list' },
  JETBEAT_PUBLIC_URL: { path: 'api.publicUrl' },
  JETBEAT_SESSIONS_IDLE: { path: 'api.sessions.idle' },
  JETBEAT_SESSIONS_ABSOLUTE: { path: 'api.sessions.absolute' },
  JETBEAT_OIDC_ISSUER: { path: 'api.oidc.issuer' },
  JETBEAT_OIDC_CLIENT_ID: { path: 'api.oidc.clientId' },
  JETBEAT_OIDC_CLIENT_SECRET: { path: 'api.oidc.clientSecret', secret: true },
  JETBEAT_URL: { path: 'url' },
  JETBEAT_API_KEY: { path: 'apiKey', secret: true },
  JETBEAT_PROFILE: { path: 'profile' },
  JETBEAT_TRACE_URL: { path: 'traceUrl' },
  JETBEAT_TRACE_SLOW: { path: 'traceSlow' },
  JETBEAT_NATS_SERVER_BIN: { path: 'embedded.natsServerBin' },
  JETBEAT_POSTGRES_BIN: { path: 'embedded.postgresBin' },
};

/** One setting that came from the environment. */
export interface FromEnvironment {
  readonly name: string;
  readonly path: string;
  readonly value: unknown;
}

/** Environment as a process has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads every `JETBEAT_*` variable; an empty one counts as not set.
 * @throws ConfigError naming each unknown variable with the nearest known one, and each file that cannot be read
 */
export function readVariables(env: Environment): FromEnvironment[] {
  const problems: string[] = [];
  const found: FromEnvironment[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || text === undefined || text === '' || name === 'JETBEAT_CONFIG') continue;
    const plain = VARIABLES[name] ? name : name.replace(/_FILE$/, '');
    const variable = VARIABLES[plain];
    if (!variable || (plain !== name && !variable.secret)) {
      problems.push(unknownName(name));
      continue;
    }
    if (plain !== name && env[plain]) {
      problems.push(`${plain} and ${name} are both set: keep one of them`);
      continue;
    }
    try {
      const value = plain === name ? text : readFileSync(text, 'utf8').trim();
      found.push({ name, path: variable.path, value: convert(value, variable.kind) });
    } catch (cause) {
      problems.push(`${name}: cannot read the file ${JSON.stringify(text)}: ${(cause as Error).message}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return found;
}

function unknownName(name: string): string {
  const plain = name.replace(/_FILE$/, '');
  if (VARIABLES[plain]) return `${name}: only secrets can come from a file: set ${plain} instead`;
  const secrets = Object.entries(VARIABLES).flatMap(([known, { secret }]) =>
    secret ? [`${known}_FILE`] : [],
  );
  // What all have in common says nothing about what was meant.
  const known = ['JETBEAT_CONFIG', ...Object.keys(VARIABLES), ...secrets].map((each) =>
    each.slice(PREFIX.length),
  );
  const meant = nearest(name.slice(PREFIX.length), known);
  return `unknown environment variable ${name}${meant ? `: did you mean ${PREFIX}${meant}?` : ': remove it'}`;
}

/** What cannot be converted stays as it is, so that the schema says what it should have been. */
function convert(text: string, kind: Variable['kind']): unknown {
  if (kind === 'number') return /^\d{1,15}$/.test(text.trim()) ? Number(text) : text;
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (kind === 'list')
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  return text;
}
