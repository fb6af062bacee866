import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { LoadAnswer, LoadCommand } from './load/command.ts';

/** A process that makes load as a user's program would. */
export interface Load {
  readonly pid: number;
  /** Resolves when the command was carried out; rejects when it failed or the process has ended. */
  call(command: LoadCommand): Promise<LoadAnswer>;
  /** Lets it tell history of its last jobs, and ends it. */
  close(): Promise<void>;
}

interface Message {
  readonly ready?: true;
  readonly answer?: LoadAnswer;
  readonly error?: string;
}

const CLOSE_MS = 10_000;
/** For a million jobs on a slow machine. */
const CALL_MS = 600_000;

/** Starts one; resolves when it is connected. */
export async function startLoad(params: { servers: string; env: NodeJS.ProcessEnv }): Promise<Load> {
  const child = fork(join(import.meta.dirname, 'load/main.ts'), [params.servers], {
    env: params.env,
    execArgv: [],
    serialization: 'advanced',
  });
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  await nextMessage(child);
  return {
    pid: child.pid ?? -1,
    async call(command) {
      const answered = nextMessage(child);
      child.send(command);
      const { answer, error } = await answered;
      if (!answer) throw new Error(`the load process failed: ${error}`);
      return answer;
    },
    async close() {
      if (child.connected) child.send('close');
      const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

function nextMessage(child: ChildProcess): Promise<Message> {
  return new Promise((done, failed) => {
    const end = () => {
      clearTimeout(timer);
      child.off('exit', onExit);
      child.off('message', onMessage);
    };
    const onExit = (code: number | null) => {
      end();
      failed(new Error(`the load process has ended with code ${code}`));
    };
    const onMessage = (message: unknown) => {
      end();
      done(message as Message);
    };
    const timer = setTimeout(() => {
      end();
      failed(new Error(`the load process has not answered within ${CALL_MS} ms`));
    }, CALL_MS);
    child.on('exit', onExit);
    child.on('message', onMessage);
  });
}
