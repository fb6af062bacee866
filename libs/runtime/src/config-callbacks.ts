import Type, { type Static } from 'typebox';
import { ConfigError } from './config-error.ts';
import { Glob, Webhook } from './config-settings.ts';

const closed = { additionalProperties: false } as const;
const KEY = '^[A-Za-z0-9_-]{1,64}$';
const Address = Type.String({ minLength: 3, maxLength: 512, examples: ['ops@example.org'] });

const Secret = Type.Object(
  {
    secret: Type.Optional(
      Type.String({ minLength: 16, maxLength: 1_024, description: 'Better in `secretFile`.' }),
    ),
    secretFile: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4_096,
        description: 'File with the secret, read at every request: a new secret needs no restart.',
      }),
    ),
    hosts: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        maxItems: 1_000,
        description:
          'For requests to these hosts alone, written as in `http.allowHosts`. Without it: for every host.',
        examples: [['shop.example.org']],
      }),
    ),
  },
  closed,
);

const Email = Type.Object(
  {
    to: Type.Union([Address, Type.Array(Address, { minItems: 1, maxItems: 100 })], {
      description: 'Who is written to.',
    }),
    transport: Type.Optional(
      Type.String({ pattern: KEY, description: 'Name of a server under `smtp`.', default: 'default' }),
    ),
  },
  closed,
);

const ON = ['dead', 'expired'] as const;

const Notice = Type.Object(
  {
    on: Type.Union([Type.Enum(ON), Type.Array(Type.Enum(ON), { minItems: 1, maxItems: 2 })], {
      description: 'How jobs end of which is told.',
    }),
    task: Type.Optional(Glob),
    queue: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_*-]{1,64}$',
        examples: ['mail'],
        description: 'Only of jobs of these queues; `*` stands for any characters.',
      }),
    ),
    email: Type.Optional(Email),
    webhook: Type.Optional(Webhook),
    rate: Type.Optional(
      Type.Object(
        {
          limit: Type.Integer({ minimum: 1, maximum: 10_000, description: 'Notices in each period.' }),
          period: Type.String({
            pattern: '^\\d{1,12}(\\.\\d{1,6})?(ms|s|m|h|d)$',
            examples: ['1h'],
            description: 'From 1s to 30d.',
          }),
        },
        {
          ...closed,
          description: 'By default 10 in 1h. What is more is told of together, at the end of the period.',
        },
      ),
    ),
  },
  { ...closed, description: 'A rule; it has either `email` or `webhook`.' },
);

/** What signs webhooks, and who is told of jobs that failed. */
export const CALLBACK_SECTIONS = {
  webhooks: Type.Optional(
    Type.Object(
      {
        secrets: Type.Optional(
          Type.Record(Type.String({ pattern: KEY }), Secret, {
            ...closed,
            description:
              'Secrets by name, with which workers sign requests. Jobs name them and never hold them.',
            propertyNames: { examples: ['billing'] },
          }),
        ),
      },
      closed,
    ),
  ),
  notifications: Type.Optional(
    Type.Array(Notice, {
      maxItems: 100,
      description: 'Who is told, by e-mail or webhook, of jobs that are dead or have expired.',
      examples: [[{ on: 'dead', queue: 'mail', email: { to: 'ops@example.org' } }]],
    }),
  ),
};

const Sections = Type.Object(CALLBACK_SECTIONS);
type Sections = Static<typeof Sections>;

/** A secret, or where it is. */
type SecretConfig = Static<typeof Secret>;

/** Who is told of which jobs that failed. */
export interface NoticeRule {
  readonly on: readonly ('dead' | 'expired')[];
  /** Patterns; absent: all. */
  readonly task?: string;
  readonly queue?: string;
  readonly email?: { readonly to: readonly string[]; readonly transport?: string };
  readonly webhook?: { readonly url: string; readonly secret?: string };
  readonly rate: { readonly limit: number; readonly periodMs: number };
}

/** These sections with their defaults. */
export interface CallbackSections {
  readonly webhooks: { readonly secrets: Readonly<Record<string, SecretConfig>> };
  readonly notifications: readonly NoticeRule[];
}

const DEFAULT_RATE = { limit: 10, period: '1h' };
const PERIOD = { min: 1_000, max: 30 * 86_400_000 };

/**
 * Fills in the defaults and checks what the schema cannot.
 * @throws ConfigError with one line for every mistake
 */
export function callbackSections(
  { webhooks, notifications = [] }: Sections,
  milliseconds: (duration: string) => number,
): CallbackSections {
  const secrets = webhooks?.secrets ?? {};
  const problems = Object.entries(secrets).flatMap(([name, { secret, secretFile }]) => {
    if ((secret === undefined) !== (secretFile === undefined)) return [];
    return [`webhooks.secrets.${name} has either secret or secretFile: write one of them`];
  });
  const rules = notifications.map(
    ({ on, task, queue, email, webhook, rate = DEFAULT_RATE }, index): NoticeRule => {
      const place = `notifications.${index}`;
      if ((email === undefined) === (webhook === undefined))
        problems.push(`${place} has either email or webhook: write one of them`);
      const periodMs = milliseconds(rate.period);
      if (periodMs < PERIOD.min || periodMs > PERIOD.max)
        problems.push(`${place}.rate.period must be from 1s to 30d, not ${JSON.stringify(rate.period)}`);
      return {
        on: [on].flat(),
        ...(task === undefined ? {} : { task }),
        ...(queue === undefined ? {} : { queue }),
        ...(email === undefined ? {} : { email: { ...email, to: [email.to].flat() } }),
        ...(webhook === undefined ? {} : { webhook }),
        rate: { limit: rate.limit, periodMs },
      };
    },
  );
  if (problems.length > 0) throw new ConfigError(problems);
  return { webhooks: { secrets }, notifications: rules };
}
