import Type from 'typebox';

const closed = { additionalProperties: false } as const;
const KEY = '^[A-Za-z0-9_-]{1,64}$';
const Path = (description: string) => Type.String({ minLength: 1, maxLength: 4_096, description });
const Absolute = (example: string, description: string) =>
  Type.String({ pattern: '^/', maxLength: 4_096, examples: [example], description });
const Duration = (example: string, description: string, options: object = {}) =>
  Type.String({
    pattern: '^\\d{1,12}(\\.\\d{1,6})?(ms|s|m|h|d)$',
    examples: [example],
    description,
    ...options,
  });

const Transport = Type.Object(
  {
    host: Type.String({ minLength: 1, maxLength: 255, description: 'Name or address of the SMTP server.' }),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_535, description: 'By default 465 where `secure`, else 587.' }),
    ),
    secure: Type.Optional(
      Type.Boolean({
        description: 'TLS from the first byte; else STARTTLS where the server offers it.',
        default: false,
      }),
    ),
    requireTls: Type.Optional(
      Type.Boolean({
        description: 'Send nothing without TLS. By default true where there is a `user`, else false.',
      }),
    ),
    ca: Type.Optional(Path('Certificate of the authority that signed the server’s.')),
    user: Type.Optional(Type.String({ minLength: 1, description: 'Name to log in with.' })),
    password: Type.Optional(Type.String({ minLength: 1, description: 'Better in `passwordFile`.' })),
    passwordFile: Type.Optional(
      Path('File with the password, read at every e-mail: a new password needs no restart.'),
    ),
    from: Type.String({
      minLength: 3,
      maxLength: 320,
      examples: ['Reports <reports@example.org>'],
      description: 'The sender.',
    }),
    allowRecipients: Type.Optional(
      Type.Array(Type.String({ minLength: 3, maxLength: 320, examples: ['*@example.org'] }), {
        maxItems: 10_000,
        description:
          'Who may be written to: addresses, `*@example.org`, `*@*.example.org`. Everybody, where it is left out.',
      }),
    ),
  },
  closed,
);

const Connection = Type.Object(
  {
    url: Type.Optional(
      Type.String({
        pattern: '^postgres(ql)?://',
        examples: ['postgres://keeper@db.example.org/shop'],
        description: 'Address of the database. With a password in it better in `urlFile`.',
      }),
    ),
    urlFile: Type.Optional(Path('File with the address, read at every job.')),
  },
  closed,
);

const Command = Type.Object(
  {
    run: Type.Array(Type.String({ minLength: 1, maxLength: 4_096, pattern: '^[^\\u0000]*$' }), {
      minItems: 1,
      maxItems: 100,
      examples: [['/usr/bin/python3', 'backup.py']],
      description: 'Program and arguments, one by one. No shell reads them.',
    }),
    args: Type.Optional(
      Type.Boolean({
        description:
          'Whether a job may add arguments. Those that begin with a dash only where `run` ends with `--`.',
        default: false,
      }),
    ),
    cwd: Type.Optional(Absolute('/srv/backup', 'Folder to run in; by default the worker’s.')),
    env: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), Type.String({ maxLength: 32_768 }), {
        ...closed,
        description: 'Environment beside PATH, HOME and LANG. Nothing else of the worker’s gets in.',
      }),
    ),
    timeout: Type.Optional(Duration('10m', 'Longest run, beside the time limits of the job.')),
    grace: Type.Optional(Duration('5s', 'From SIGTERM to SIGKILL, when it is stopped.', { default: '5s' })),
    maxOutput: Type.Optional(
      Type.String({
        pattern: '^\\d{1,4}(KiB|MiB)$',
        examples: ['16KiB'],
        description: 'How much of the end of stdout, and of stderr, gets into the log; at most 4MiB.',
        default: '16KiB',
      }),
    ),
  },
  closed,
);

/** What the built-in tasks may do, beside `http`. */
export const TASK_SECTIONS = {
  smtp: Type.Optional(
    Type.Record(Type.String({ pattern: KEY }), Transport, {
      ...closed,
      description:
        'SMTP servers by name, for the task `email.send`; it uses `default` unless told otherwise.',
    }),
  ),
  files: Type.Optional(
    Type.Object(
      {
        roots: Type.Optional(
          Type.Array(Absolute('/var/spool/reports', 'A folder.'), {
            maxItems: 1_000,
            description: 'Folders in which the task `files.cleanup` may delete.',
            default: [],
          }),
        ),
      },
      closed,
    ),
  ),
  postgres: Type.Optional(
    Type.Object(
      {
        connections: Type.Optional(
          Type.Record(Type.String({ pattern: KEY }), Connection, {
            ...closed,
            description:
              'Databases by name, for the task `postgres.maintenance`; it uses `main` unless told otherwise.',
          }),
        ),
      },
      closed,
    ),
  ),
  commands: Type.Optional(
    Type.Record(Type.String({ pattern: KEY }), Command, {
      ...closed,
      description: 'Programs by name, for the task `command.run`.',
    }),
  ),
};
