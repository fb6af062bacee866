import type { PortUse } from './options.ts';
import { portIsFree } from './ports.ts';
import { StartError } from './start-error.ts';

/** Throws StartError when two parts would use the same port, or when one is taken: the port, who needs it, the flag. */
export async function checkPorts(uses: readonly PortUse[]): Promise<void> {
  const problems: string[] = [];
  const seen = new Map<number, PortUse>();
  for (const use of uses) {
    const other = seen.get(use.port);
    seen.set(use.port, use);
    const change = `choose another with ${use.flag} N`;
    if (other !== undefined) {
      problems.push(
        `Port ${use.port} is wanted by ${other.who} (${other.flag}) and by ${use.who}; ${change}.`,
      );
    } else if (!(await portIsFree(use.port))) {
      problems.push(`Port ${use.port} of 127.0.0.1 is in use, and ${use.who} needs it; ${change}.`);
    }
  }
  if (problems.length > 0) throw new StartError(problems.join('\n'));
}
