import { NO_SETTINGS } from '@jetbeat/core';
import type { Problem } from '@jetbeat/core/http';
import { type ApiKeyRecord, type Database, DatabaseUnavailableError } from '@jetbeat/postgres';
import { createLog } from '@jetbeat/runtime';
import type { FastifyInstance } from 'fastify';
import { hashSecret, ROLES } from './access/api-key.ts';
import { createCallers } from './access/callers.ts';
import { HOME } from './access/door.ts';
import { createInputCheck } from './jobs/check-input.ts';
import type { Parts } from './parts.ts';
import { createCursors } from './requests/cursor.ts';
import { createServer } from './server.ts';

/** When these tests take place. */
export const NOW = Date.UTC(2026, 4, 4);
/** The secret of every key here; their ids are the roles. */
export const SECRET = 's'.repeat(43);

/** An answer, read. */
interface Answer<Body> {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Body;
}

/** A server for tests of what is decided before PostgreSQL and NATS are asked. */
export interface TestServer {
  readonly app: FastifyInstance;
  /** What was logged since the last `use`. */
  readonly lines: Record<string, unknown>[];
  /** From now on these parts instead of those that do nothing. */
  use(parts: Partial<Parts>): void;
  /** Calls as the admin, e.g. `call('GET /jobs')`; below `/api/v1` unless the path says otherwise. */
  call<Body = Problem>(
    request: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<Body>>;
}

/** Its role is in the id of a key: `admin`, `viewerBlind`, `operatorMail`… */
export function findTestKey(id: string): ApiKeyRecord | undefined {
  if (id === 'away') throw new DatabaseUnavailableError('gone');
  const role = ROLES.find((each) => id.startsWith(each));
  if (!role) return undefined;
  const hash = hashSecret(SECRET);
  const isRevoked = id.endsWith('Revoked');
  return {
    id,
    role,
    name: id,
    configured: false,
    createdAt: 0,
    hash: isRevoked ? 'revoked' : hash,
    payloads: !id.endsWith('Blind'),
    expired: id.endsWith('Expired'),
    ...(id.endsWith('Mail') ? { queues: ['mail'] } : {}),
    ...(isRevoked ? { revokedAt: 1 } : {}),
    retired: isRevoked ? [hash] : [],
  };
}

/**
 * Makes the server once for a file: compiling its schemas is what takes time.
 * @param fixed parts that are so from the beginning
 */
export async function createTestServer(fixed: Partial<Parts> = {}): Promise<TestServer> {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const log = createLog({ app: 'api', level: 'info', destination: { write } });
  const idle: Parts = {
    db: {} as Database,
    log,
    clock: () => NOW,
    callers: createCallers({ findKey: async (id) => findTestKey(id), clock: () => NOW }),
    uses: { note: () => {} },
    sessions: {} as Parts['sessions'],
    cursors: createCursors(Buffer.alloc(32)),
    counting: {} as Parts['counting'],
    insertJob: async () => undefined,
    answers: {} as Parts['answers'],
    unique: {} as Parts['unique'],
    publish: () => {},
    fleet: async () => ({ tasks: new Map(), served: new Map() }),
    settings: NO_SETTINGS,
    checkInput: createInputCheck(log),
    cancel: {} as Parts['cancel'],
    move: {} as Parts['move'],
    waiting: { forEnd: async () => ({}), stop() {} },
    events: {} as Parts['events'],
    queues: {} as Parts['queues'],
    tellTask: async () => {},
    dead: {} as Parts['dead'],
    batches: { poke() {}, behind: async () => undefined },
    workers: {} as Parts['workers'],
    maxPayload: () => 1_048_576,
    refusal: () => undefined,
    queueRefusal: () => undefined,
    connections: 100,
    limits: {},
    queueing: () => ({ count: 0, oldestMs: 0 }),
    door: HOME,
    metrics: { observe: () => {}, page: async () => '# nothing\n' },
    live: () => [{ name: 'process', ok: true }],
    ready: () => [{ name: 'process', ok: true }],
    ...fixed,
  };
  let parts = idle;
  const app = await createServer({
    ...idle,
    insertJob: (...job) => parts.insertJob(...job),
    answers: {
      claim: (asked) => parts.answers.claim(asked),
      settle: (...given) => parts.answers.settle(...given),
    },
    publish: (job) => parts.publish(job),
    fleet: () => parts.fleet(),
    maxPayload: () => parts.maxPayload(),
    refusal: () => parts.refusal(),
    ready: () => parts.ready(),
    queueing: () => parts.queueing(),
  });
  await app.ready();
  return {
    app,
    lines,
    use(changed) {
      parts = { ...idle, ...changed };
      lines.length = 0;
    },
    async call<Body>(request: string, body?: unknown, headers: Record<string, string> = {}) {
      const [method = 'GET', path = '/'] = request.split(' ');
      const response = await app.inject({
        method: method as 'GET',
        url: /^\/(jobs|schedules|queues|tasks|dead-letters|batches|workers)/.test(path)
          ? `/api/v1${path}`
          : path,
        headers: { authorization: `Bearer jb_admin_${SECRET}`, ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      });
      const { statusCode: status } = response;
      return {
        status,
        headers: response.headers,
        body: (response.body === '' ? undefined : response.json()) as Body,
      };
    },
  };
}
