import { readFile } from 'node:fs/promises';
import { run } from './run.ts';

/** True when a process with this number exists, also one of another user or one that has ended and was not collected. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command line of a process, its words parted by blanks; undefined when there is no such process. */
export async function commandOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    // A process that has ended and waits to be collected has no command line left.
    return text === '' ? undefined : text.replaceAll('\0', ' ').trim();
  }
  return ps(pid, 'command=');
}

/**
 * When a process was started, as text that only serves to be compared: with the number it names one process for good,
 * since numbers are given out again. Undefined when there is no such process.
 */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return ps(pid, 'lstart=');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  if (stat === '') return undefined;
  // The second field is the name in brackets and may hold blanks; starttime is field 22 (proc_pid_stat(5)), in ticks
  // since the machine was booted, so the boot's id goes with it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z') return undefined;
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return `${fields[19]}@${boot.trim()}`;
}

async function ps(pid: number, column: string): Promise<string | undefined> {
  const result = await run({ command: 'ps', args: ['-o', column, '-p', String(pid)], timeoutMs: 5000 });
  const text = result.stdout.trim();
  return result.code === 0 && text !== '' ? text : undefined;
}
