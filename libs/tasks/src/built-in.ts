import type { Task } from '@jetbeat/task';
import { type CommandConfig, commandRun, graceOf } from './command-run.ts';
import { echo } from './echo.ts';
import { emailSend } from './email-send.ts';
import { filesCleanup } from './files-cleanup.ts';
import type { HttpAllowance } from './host-rule.ts';
import { openHttpAgent } from './http-agent.ts';
import { httpRequest } from './http-request.ts';
import { postgresMaintenance } from './postgres-maintenance.ts';
import type { PostgresConnection } from './postgres-session.ts';
import { openProcessGroups } from './process-groups.ts';
import type { SecretConfig } from './sign-request.ts';
import type { SmtpConfig } from './smtp-transport.ts';

/** What the built-in tasks may do, as plain data. Of a section that is left out nothing is allowed, and the task says so. */
export interface BuiltInTasksParams {
  readonly http: HttpAllowance;
  /** What signs requests, by name. */
  readonly webhooks?: { readonly secrets: Readonly<Record<string, SecretConfig>> };
  readonly smtp?: Readonly<Record<string, SmtpConfig>>;
  readonly files?: { readonly roots: readonly string[] };
  readonly postgres?: { readonly connections: Readonly<Record<string, PostgresConnection>> };
  readonly commands?: Readonly<Record<string, CommandConfig>>;
  /** What every command gets of the environment. */
  readonly commandEnvironment?: Readonly<Record<string, string>>;
}

/** What the built-in tasks ask of the process that they run in. */
export interface BuiltInTasksHost {
  /** The W3C trace context of the running handler, where it is traced. */
  readonly traceparent?: () => string | undefined;
}

/** The built-in tasks and what they hold open. */
export interface BuiltInTasks {
  readonly tasks: readonly Task[];
  /** How long what a job has started may take to end once the job was told to stop, milliseconds; 0: nothing is waited for. */
  graceOf(job: { readonly task: string; readonly input: unknown }): number;
  /** Kills the commands that run; their jobs end by that. */
  killCommands(): void;
  /** Closes their connections and ends their commands, within two seconds; twice is safe. */
  close(): Promise<void>;
}

/**
 * Makes the built-in tasks for one process.
 * @throws InvalidInputError when an allowed host, a sender or a recipient is none
 */
export function builtInTasks(params: BuiltInTasksParams, host: BuiltInTasksHost = {}): BuiltInTasks {
  const agent = openHttpAgent(params.http);
  const groups = openProcessGroups();
  return {
    tasks: [
      echo,
      httpRequest(agent, params.webhooks?.secrets),
      emailSend(params.smtp ?? {}),
      filesCleanup(params.files?.roots ?? []),
      postgresMaintenance(params.postgres?.connections ?? {}),
      commandRun({
        commands: params.commands ?? {},
        environment: params.commandEnvironment ?? {},
        groups,
        traceparent: host.traceparent ?? (() => undefined),
      }),
    ],
    graceOf: (job) => graceOf(params.commands ?? {}, job),
    killCommands: groups.kill,
    close: async () => {
      await Promise.all([agent.close(), groups.close()]);
    },
  };
}
