import { ConfigError } from './config-error.ts';
import type { FileConfig } from './config-schema.ts';

type Sections = Pick<FileConfig, 'smtp' | 'files' | 'postgres' | 'commands'>;

/** What the built-in tasks may do: every default is filled in. Secrets in files are read when they are needed. */
export interface TaskSections {
  readonly smtp: NonNullable<Sections['smtp']>;
  readonly files: { readonly roots: string[] };
  readonly postgres: { readonly connections: Readonly<Record<string, { url?: string; urlFile?: string }>> };
  readonly commands: Readonly<Record<string, CommandConfig>>;
  /** Of the worker's environment, what commands get: PATH, HOME and LANG, where they are set. */
  readonly commandEnvironment: Readonly<Record<string, string>>;
}

/** A program that `command.run` may start. */
interface CommandConfig {
  readonly run: string[];
  /** Whether a job may add arguments. */
  readonly args: boolean;
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeoutMs?: number;
  /** Milliseconds from SIGTERM to SIGKILL. */
  readonly graceMs: number;
  /** Bytes. */
  readonly maxOutput: number;
}

/** How long a command of a worker that stops may take to end, whatever its `grace`: nobody waits for ever for a stop. Milliseconds. */
export const MAX_STOP_GRACE_MS = 10_000;

const HANDED_ON = ['PATH', 'HOME', 'LANG'];
const MAX_OUTPUT = 4 * 1024 * 1024;
/** Node's longest timer. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Fills in the defaults and checks what the schema cannot.
 * @throws ConfigError with one line for every mistake
 */
export function taskSections(params: {
  readonly file: Sections;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly milliseconds: (duration: string) => number;
}): TaskSections {
  const { file, env, milliseconds } = params;
  const smtp = file.smtp ?? {};
  const connections = file.postgres?.connections ?? {};
  const problems = [...smtpProblems(smtp), ...connectionProblems(connections)];
  const commands: Record<string, CommandConfig> = {};
  for (const [name, command] of Object.entries(file.commands ?? {})) {
    const made = commandOf(command, milliseconds);
    problems.push(...commandProblems(name, made));
    commands[name] = made;
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const commandEnvironment: Record<string, string> = {};
  for (const name of HANDED_ON) if (env[name] !== undefined) commandEnvironment[name] = env[name];
  return {
    smtp,
    files: { roots: file.files?.roots ?? [] },
    postgres: { connections },
    commands,
    commandEnvironment,
  };
}

function commandOf(
  command: NonNullable<Sections['commands']>[string],
  milliseconds: (duration: string) => number,
): CommandConfig {
  const { timeout, grace = '5s', maxOutput = '16KiB', args = false, env = {}, ...rest } = command;
  return {
    ...rest,
    args,
    env,
    ...(timeout === undefined ? {} : { timeoutMs: milliseconds(timeout) }),
    graceMs: milliseconds(grace),
    maxOutput: Number.parseInt(maxOutput, 10) * (maxOutput.endsWith('KiB') ? 1_024 : 1_048_576),
  };
}

function commandProblems(name: string, { timeoutMs, graceMs, maxOutput }: CommandConfig): string[] {
  const problems: string[] = [];
  if (maxOutput > MAX_OUTPUT) problems.push(`commands.${name}.maxOutput must be at most 4MiB`);
  if (timeoutMs === 0) problems.push(`commands.${name}.timeout must be more than nothing`);
  if (Math.max(timeoutMs ?? 0, graceMs) > MAX_TIMEOUT_MS)
    problems.push(`commands.${name}: timeout and grace must be at most 24d`);
  return problems;
}

function smtpProblems(smtp: NonNullable<Sections['smtp']>): string[] {
  return Object.entries(smtp).flatMap(([name, { user, password, passwordFile }]) => {
    const given = [password, passwordFile].filter((each) => each !== undefined).length;
    const place = `smtp.${name}`;
    if (given === 2) return [`${place}.password and ${place}.passwordFile are both set: keep one of them`];
    if (user !== undefined && given === 0)
      return [`${place}.user needs a password: add ${place}.passwordFile or ${place}.password`];
    if (user === undefined && given === 1) return [`${place} has a password and no user: add ${place}.user`];
    return [];
  });
}

function connectionProblems(connections: TaskSections['postgres']['connections']): string[] {
  return Object.entries(connections).flatMap(([name, { url, urlFile }]) => {
    const place = `postgres.connections.${name}`;
    if (url !== undefined && urlFile !== undefined)
      return [`${place}.url and ${place}.urlFile are both set: keep one of them`];
    return url === undefined && urlFile === undefined ? [`${place} needs a url or a urlFile`] : [];
  });
}
