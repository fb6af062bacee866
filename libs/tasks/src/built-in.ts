import type { Task } from '@jetbeat/task';
import { echo } from './echo.ts';
import type { HttpAllowance } from './host-rule.ts';
import { openHttpAgent } from './http-agent.ts';
import { httpRequest } from './http-request.ts';

/** What the built-in tasks may do. */
export interface BuiltInTasksParams {
  readonly http: HttpAllowance;
}

/** The built-in tasks and what they hold open. */
export interface BuiltInTasks {
  readonly tasks: readonly Task[];
  /** Closes their connections, within two seconds; twice is safe. */
  close(): Promise<void>;
}

/**
 * Makes `system.echo` and `http.request` for one process.
 * @throws InvalidInputError when an allowed host is none
 */
export function builtInTasks(params: BuiltInTasksParams): BuiltInTasks {
  const agent = openHttpAgent(params.http);
  return { tasks: [echo, httpRequest(agent)], close: agent.close };
}
