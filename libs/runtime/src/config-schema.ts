import Type, { type Static } from 'typebox';
import { API_SECTION } from './config-api.ts';
import { CALLBACK_SECTIONS } from './config-callbacks.ts';
import { QUEUE_SECTION } from './config-queues.ts';
import { SETTINGS_SECTIONS } from './config-settings.ts';
import { TASK_SECTIONS } from './config-tasks.ts';

const closed = { additionalProperties: false } as const;
const Name = (pattern: string, example: string, options: object = {}) =>
  Type.String({ pattern, examples: [example], ...options });
const Queue = Name('^[A-Za-z0-9_-]{1,64}$', 'mail');
const Size = (description: string, options: object = {}) =>
  Name('^\\d{1,9}(\\.\\d{1,3})?(MiB|GiB|TiB)$', '8GiB', { description, ...options });
const DURATION = '^\\d{1,12}(\\.\\d{1,6})?(ms|s|m|h|d)$';

/** The log levels, as pino names them. */
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** What may stand in `jetbeat.yaml`; its JSON Schema is published as `docs/jetbeat.schema.json`. */
export const FileSchema = Type.Object(
  {
    namespace: Type.Optional(
      Name('^[A-Za-z0-9_-]{1,32}$', 'staging', {
        description:
          'Prefix of every stream, subject and bucket, so that installations can share a NATS server.',
      }),
    ),
    nats: Type.Optional(
      Type.Object(
        {
          url: Type.Optional(
            Name('^(nats|tls|ws|wss)://', 'nats://127.0.0.1:4222', {
              description: 'Address of the NATS server, or several separated by commas.',
            }),
          ),
          creds: Type.Optional(Type.String({ minLength: 1, description: 'Path of a credentials file.' })),
          ca: Type.Optional(
            Type.String({
              minLength: 1,
              description: 'Path of the certificate of the authority that signed the server’s.',
            }),
          ),
        },
        closed,
      ),
    ),
    storage: Type.Optional(
      Type.Object(
        {
          limit: Type.Optional(
            Size(
              'What JetStream may store on files: `max_file_store`, of all its servers together. New jobs are refused before it is full. Needed where the NATS account has no limit of its own, since NATS does not tell it.',
            ),
          ),
          events: Type.Optional(
            Size('Room of the stream EVENTS, set apart at once. The same everywhere.', { default: '1GiB' }),
          ),
        },
        closed,
      ),
    ),
    database: Type.Optional(
      Type.Object(
        {
          url: Type.Optional(
            Name('^postgres(ql)?://', 'postgres://user@127.0.0.1:5432/jetbeat', {
              description: 'Address of the PostgreSQL database.',
            }),
          ),
        },
        closed,
      ),
    ),
    host: Type.Optional(
      Type.String({ minLength: 1, description: 'Address on which the app listens.', default: '127.0.0.1' }),
    ),
    port: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65_535,
        description: 'Port of the API; 0 takes a free one.',
        default: 7420,
      }),
    ),
    healthPort: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65_535,
        description:
          'Port of health; by default 7421 for the scheduler, 7422 for the recorder, 7423 for the worker.',
      }),
    ),
    api: Type.Optional(API_SECTION),
    log: Type.Optional(
      Type.Object(
        {
          level: Type.Optional(
            Type.Enum(LOG_LEVELS, { description: 'Least level that is written.', default: 'info' }),
          ),
        },
        closed,
      ),
    ),
    ackWait: Type.Optional(
      Name(DURATION, '30s', {
        description:
          'How long a delivered job may go without a sign of life before it is handed out again. The same everywhere.',
        default: '30s',
      }),
    ),
    queues: Type.Optional(
      Type.Record(Queue, QUEUE_SECTION, {
        ...closed,
        description:
          'Queues of this installation beside `default`, e.g. `mail: {}`, and their limits at first: what is said at run time wins, until that is null. The recorder reads them.',
      }),
    ),
    worker: Type.Optional(
      Type.Object(
        {
          queues: Type.Optional(
            Type.Array(Queue, {
              minItems: 1,
              maxItems: 256,
              description: 'Queues from which the worker takes jobs.',
              default: ['default'],
            }),
          ),
          concurrency: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 10_000,
              description: 'Jobs that one worker runs at once.',
              default: 10,
            }),
          ),
          tasks: Type.Optional(
            Type.Array(Type.String({ minLength: 1 }), {
              maxItems: 1_000,
              description: 'Modules, folders or packages in which the worker finds tasks.',
              default: [],
            }),
          ),
          drain: Type.Optional(
            Name(DURATION, '30s', {
              description:
                'How long the jobs that run may take to end when the worker is told to stop; at most 1d. Then they are aborted and given back.',
              default: '3s',
            }),
          ),
        },
        closed,
      ),
    ),
    http: Type.Optional(
      Type.Object(
        {
          allowHosts: Type.Optional(
            Type.Array(Type.String({ minLength: 1 }), {
              maxItems: 10_000,
              description: 'Hosts that the task `http.request` may call.',
              default: [],
            }),
          ),
          allowLoopback: Type.Optional(
            Type.Boolean({
              description: 'Whether `http.request` may call this machine itself.',
              default: false,
            }),
          ),
        },
        closed,
      ),
    ),
    ...SETTINGS_SECTIONS,
    ...TASK_SECTIONS,
    ...CALLBACK_SECTIONS,
    apiKey: Type.Optional(
      Name('^jb_[A-Za-z0-9]{1,32}_[A-Za-z0-9_-]{32,128}$', 'jb_<name>_<32 to 128 random letters>', {
        description: 'API: the key of the first admin. Better in a file named by JETBEAT_API_KEY_FILE.',
      }),
    ),
    url: Type.Optional(
      Name('^https?://', 'https://jetbeat.example.org', {
        description: 'Address of the API, for the command line.',
      }),
    ),
    profile: Type.Optional(
      Type.String({ minLength: 1, description: 'Named set of address and key, for the command line.' }),
    ),
    traceUrl: Type.Optional(
      Name('^https?://', 'https://jaeger.example.org/trace/{traceId}', {
        description: 'Where traces are shown; `{traceId}` is replaced.',
        default: 'http://localhost:16686/trace/{traceId}',
      }),
    ),
    retention: Type.Optional(
      Type.Object(
        {
          occurrences: Type.Optional(
            Name(DURATION, '90d', {
              description:
                'How long it is kept what became of the times of schedules. What became of each schedule last is kept for as long as there is the schedule.',
              default: '90d',
            }),
          ),
          audit: Type.Optional(
            Name(DURATION, '400d', {
              description: 'How long it is kept who changed what.',
              default: '400d',
            }),
          ),
        },
        closed,
      ),
    ),
    traceSlow: Type.Optional(
      Name(DURATION, '10s', {
        description:
          'An attempt that takes longer is traced even where its trace is not sampled, as a failed one is.',
        default: '10s',
      }),
    ),
    embedded: Type.Optional(
      Type.Object(
        {
          natsServerBin: Type.Optional(
            Type.String({ minLength: 1, description: 'Path of nats-server for the embedded servers.' }),
          ),
          postgresBin: Type.Optional(
            Type.String({
              minLength: 1,
              description: 'Folder of the PostgreSQL programs for the embedded servers.',
            }),
          ),
        },
        closed,
      ),
    ),
  },
  { ...closed, title: 'jetbeat.yaml' },
);

/** What stands in `jetbeat.yaml`. */
export type FileConfig = Static<typeof FileSchema>;
