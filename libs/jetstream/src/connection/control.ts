import {
  InvalidInputError,
  readCommand,
  readWorkerAnswer,
  type WorkerAnswer,
  type WorkerCommand,
} from '@jetbeat/core';
import { inNamespace, type Named } from '../streams/names.ts';
import { type Bus, inside } from './bus.ts';
import type { Log } from './log.ts';
import { type Serving, serve } from './serving.ts';

const SUBJECT = 'control.worker';
const WORKER = /^[A-Za-z0-9_-]{1,200}$/;
const decoder = new TextDecoder();

/** What became of a command. After `silent` it may have been carried out. */
export type Told =
  | { readonly kind: 'answer'; readonly answer: WorkerAnswer }
  /** No such worker listens. */
  | { readonly kind: 'nobody' }
  | { readonly kind: 'silent' };

/** Tells one worker what to do, and waits for its answer. Never rejects but for what is no worker's id. */
export async function tellWorker(
  bus: Bus,
  params: { readonly worker: string; readonly command: WorkerCommand; readonly timeoutMs: number },
): Promise<Told> {
  const inner = inside(bus);
  const { worker, command, timeoutMs } = params;
  const subject = controlSubject(inner, worker);
  if (!inner.connected) return { kind: 'silent' };
  const reply = await inner.replies.send({ subject, data: Buffer.from(JSON.stringify(command)), timeoutMs });
  if (reply.kind === 'nobody') return { kind: 'nobody' };
  const answer = reply.kind === 'message' ? read(reply.data) : undefined;
  return answer ? { kind: 'answer', answer } : { kind: 'silent' };
}

/** Does for one worker what it is told. What is no command is refused without asking `handler`; where that throws there is no answer. */
export function serveControl(
  bus: Bus,
  worker: string,
  handler: (command: WorkerCommand) => Promise<WorkerAnswer>,
  options: { readonly log?: Log } = {},
): Serving {
  const inner = inside(bus);
  return serve(inner, {
    subject: controlSubject(inner, worker),
    log: options.log ?? inner.log,
    answer: async (told): Promise<WorkerAnswer> => {
      const command = readCommand(told);
      return command ? handler(command) : { refused: 'this version of the worker does not know that' };
    },
  });
}

function controlSubject(at: Named, worker: string): string {
  if (WORKER.test(worker)) return inNamespace(at, `${SUBJECT}.${worker}`);
  const message = `${JSON.stringify(worker)} is not the id of a worker`;
  throw new InvalidInputError(message, [{ pointer: '/worker', code: 'invalid_id', message }]);
}

function read(data: Uint8Array): WorkerAnswer | undefined {
  try {
    return readWorkerAnswer(JSON.parse(decoder.decode(data)));
  } catch {
    return undefined;
  }
}
