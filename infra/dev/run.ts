import { spawn } from 'node:child_process';

/** Where progress goes: one line at a time, without a newline. */
export type Log = (line: string) => void;

/** What a finished command left behind. `code` is null when a signal ended it. */
export interface RunResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** How a command is run; `timeoutMs` is a hard bound after which its whole process group is killed. */
export interface RunParams {
  command: string;
  args: readonly string[];
  timeoutMs: number;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string;
  uid?: number;
  gid?: number;
  signal?: AbortSignal | undefined;
}

const outputLimit = 1024 * 1024;

/**
 * Runs a command to its end and returns what it printed (at most the first MiB of each stream).
 * A command that cannot be started, or is cut off by the bound or the signal, is a result with a code of null
 * and the reason in `stderr`: the callers all have a next thing to try, so nothing is thrown.
 */
export function run(params: RunParams): Promise<RunResult> {
  return new Promise((resolve) => {
    // A group of its own, so that a cut-off compiler or package manager takes its children with it.
    const child = spawn(params.command, [...params.args], {
      cwd: params.cwd,
      env: params.env ?? process.env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(params.uid === undefined ? {} : { uid: params.uid }),
      ...(params.gid === undefined ? {} : { gid: params.gid }),
    });
    let stdout = '';
    let stderr = '';
    const killGroup = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    };
    const cutOff = (reason: string) => {
      stderr += reason;
      killGroup();
    };
    const timer = setTimeout(() => cutOff(`no end after ${params.timeoutMs} ms`), params.timeoutMs);
    const onAbort = () => cutOff('stopped');
    params.signal?.addEventListener('abort', onAbort, { once: true });
    process.once('exit', killGroup);
    const finish = (result: RunResult) => {
      clearTimeout(timer);
      params.signal?.removeEventListener('abort', onAbort);
      process.removeListener('exit', killGroup);
      resolve(result);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < outputLimit) stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < outputLimit) stderr += text;
    });
    child.on('error', (error) => finish({ code: null, stdout, stderr: stderr + error.message }));
    child.on('close', (code) => finish({ code, stdout, stderr }));
    child.stdin.on('error', () => {});
    child.stdin.end(params.input ?? '');
    if (params.signal?.aborted) onAbort();
  });
}

/** The last line with something in it: what a failed command most likely complains about. */
export function lastLine(result: RunResult): string {
  const lines = `${result.stdout}\n${result.stderr}`.split('\n').map((line) => line.trim());
  return lines.findLast((line) => line !== '') ?? `exit code ${result.code}`;
}
