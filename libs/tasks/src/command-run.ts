import { JetbeatError } from '@jetbeat/core';
import { type Context, defineTask, Reject, Retry, systemClock } from '@jetbeat/task';
import Type, { type Static } from 'typebox';
import { configured } from './not-configured.ts';
import type { ProcessGroups } from './process-groups.ts';
import { ReportLines } from './report-lines.ts';
import { type ProgramEnd, runProgram } from './run-program.ts';

/** A program that the configuration allows. */
export interface CommandConfig {
  /** Program and arguments. */
  readonly run: readonly string[];
  /** Whether a job may add arguments. */
  readonly args: boolean;
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Milliseconds from SIGTERM to SIGKILL. */
  readonly graceMs: number;
  /** Bytes of the end of stdout, and of stderr, for the log. */
  readonly maxOutput: number;
}

/** What `command.run` works with. */
export interface CommandRunParams {
  readonly commands: Readonly<Record<string, CommandConfig>>;
  /** What every command gets: PATH, HOME, LANG. */
  readonly environment: Readonly<Record<string, string>>;
  readonly groups: ProcessGroups;
  /** The W3C trace context of whoever calls, where it is traced. */
  readonly traceparent: () => string | undefined;
}

/** The input of `command.run`. */
const Input = Type.Object(
  {
    command: Type.String({ minLength: 1, description: 'one of commands in jetbeat.yaml' }),
    args: Type.Optional(Type.Array(Type.String({ maxLength: 16_384 }), { maxItems: 100 })),
    input: Type.Optional(Type.Unknown({ description: 'goes to its stdin, as JSON' })),
  },
  { additionalProperties: false },
);
type Input = Static<typeof Input>;

/** The command did not do what it was to do; the next attempt may. */
class CommandError extends JetbeatError {}

/** `EX_TEMPFAIL` of sysexits.h: try again later. */
const TRY_AGAIN = 75;
const ERROR_TAIL = 1_024;

const NAME = 'command.run';

/** How long a command may take to end once its job was told to stop, milliseconds; 0 where the job is none of a command. */
export function graceOf(
  commands: Readonly<Record<string, CommandConfig>>,
  job: { readonly task: string; readonly input: unknown },
): number {
  if (job.task !== NAME) return 0;
  const { command = '' } = (job.input ?? {}) as Partial<Input>;
  return Object.hasOwn(commands, command) ? (commands[command]?.graceMs ?? 0) : 0;
}

/** `command.run`: runs a program that the configuration names. What it reports as its result is the job's. */
export function commandRun(params: CommandRunParams) {
  return defineTask({
    name: NAME,
    input: Input,
    run: (input, ctx): Promise<unknown> => perform(params, input, ctx),
  });
}

async function perform(params: CommandRunParams, input: Input, ctx: Context): Promise<unknown> {
  const { commands, environment, groups, traceparent } = params;
  const command = configured(commands, input.command, 'commands');
  const trace = traceparent();
  const lines = new ReportLines(({ value, note }) => ctx.progress(value, note));
  const startedAt = systemClock.elapsed();
  const end = await runProgram({
    argv: [...command.run, ...checkArgs(command, input)],
    cwd: command.cwd,
    env: {
      ...environment,
      ...command.env,
      JETBEAT_JOB_ID: ctx.job.id,
      JETBEAT_ATTEMPT: String(ctx.attempt),
      ...(trace === undefined ? {} : { TRACEPARENT: trace }),
    },
    input: JSON.stringify(input.input ?? null),
    lines,
    maxOutput: command.maxOutput,
    timeoutMs: command.timeoutMs,
    graceMs: command.graceMs,
    signal: ctx.signal,
    deadline: ctx.deadline,
    groups,
  }).catch((cause: Error) => {
    throw new CommandError(
      'command_not_startable',
      `${input.command} cannot be started: see run and cwd of commands.${input.command} in jetbeat.yaml`,
      { cause },
    );
  });
  tellEnd(ctx, input.command, end, Math.round(systemClock.elapsed() - startedAt));
  // Whatever it said of itself: it was stopped, and need not have come to its end.
  if (ctx.signal.aborted) throw ctx.signal.reason;
  return resultOf(input.command, end, lines);
}

function checkArgs(
  { run, args: areAllowed }: CommandConfig,
  { command, args = [] }: Input,
): readonly string[] {
  if (args.length > 0 && !areAllowed)
    throw Reject(`${command} takes no arguments: set commands.${command}.args to true in jetbeat.yaml`, {
      code: 'args_not_allowed',
    });
  for (const arg of args) {
    if (arg.includes('\0')) throw Reject('an argument has a NUL in it', { code: 'invalid_argument' });
    if (arg.startsWith('-') && run.at(-1) !== '--')
      throw Reject(
        `${JSON.stringify(arg)} would be read as an option: end commands.${command}.run with "--" to allow it as an argument`,
        { code: 'invalid_argument' },
      );
  }
  return args;
}

function resultOf(name: string, end: ProgramEnd, lines: ReportLines): unknown {
  const { exitCode, killedBy, isTimedOut, stderr } = end;
  const said = stderr.text(ERROR_TAIL).trim();
  const more = said === '' ? '' : `: ${said}`;
  if (isTimedOut) throw new CommandError('command_timeout', `${name} took longer than its timeout${more}`);
  if (exitCode === TRY_AGAIN)
    throw Retry({ reason: `${name} asked for another attempt (exit code 75)${more}` });
  if (killedBy !== null) throw new CommandError('command_killed', `${name} was ended by ${killedBy}${more}`);
  if (exitCode !== 0)
    throw new CommandError('command_failed', `${name} ended with exit code ${exitCode}${more}`);
  if (lines.problem !== undefined)
    throw Reject(`${name} ended well, but of what it said on descriptor 3 ${lines.problem}`, {
      code: 'command_protocol',
    });
  return lines.result;
}

function tellEnd(ctx: Context, command: string, end: ProgramEnd, ms: number): void {
  const { exitCode, killedBy, stdout, stderr } = end;
  ctx.log.info(
    {
      command,
      exitCode,
      ...(killedBy === null ? {} : { killedBy }),
      ms,
      stdout: stdout.text(),
      stderr: stderr.text(),
      ...(stdout.isCut || stderr.isCut ? { outputCut: true } : {}),
    },
    'the command has ended',
  );
}
