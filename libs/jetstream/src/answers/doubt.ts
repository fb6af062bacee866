import type { DoubtAnswer, DoubtQuestion } from '@jetbeat/core';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import type { Log } from '../connection/log.ts';
import { pause } from '../connection/pause.ts';
import { type Serving, serve } from '../connection/serving.ts';
import { inNamespace } from '../streams/names.ts';

const SUBJECT = 'questions.doubt';
/** Questions in one message. */
const CHUNK = 1_000;
const ASK_AGAIN_MS = 250;
const decoder = new TextDecoder();

/**
 * Asks the recorders about suspect messages; asks again while none is there.
 * @returns the answers in the order of the questions, or `undefined` when they did not all come within `timeoutMs`
 */
export async function askDoubt(
  bus: Bus,
  questions: readonly DoubtQuestion[],
  timeoutMs: number,
): Promise<DoubtAnswer[] | undefined> {
  const inner = inside(bus);
  const end = performance.now() + timeoutMs;
  const chunks: (readonly DoubtQuestion[])[] = [];
  for (let at = 0; at < questions.length; at += CHUNK) chunks.push(questions.slice(at, at + CHUNK));
  const answers = await Promise.all(chunks.map((chunk) => askChunk(inner, chunk, end)));
  return answers.every((answer) => answer !== undefined) ? answers.flat() : undefined;
}

async function askChunk(
  bus: BusConnection,
  questions: readonly DoubtQuestion[],
  end: number,
): Promise<DoubtAnswer[] | undefined> {
  const data = Buffer.from(JSON.stringify({ questions }));
  for (;;) {
    const left = end - performance.now();
    if (left <= 0 || bus.closing.signal.aborted) return undefined;
    if (await bus.whenConnected(left)) {
      const reply = await bus.replies.send({
        subject: inNamespace(bus, SUBJECT),
        data,
        timeoutMs: end - performance.now(),
      });
      const answers = reply.kind === 'message' ? readAnswers(reply.data) : undefined;
      if (answers?.length === questions.length) return answers;
      if (reply.kind === 'timeout' || reply.kind === 'closed') return undefined;
    }
    await pause(Math.min(ASK_AGAIN_MS, Math.max(0, end - performance.now())), bus.closing.signal);
  }
}

/** Answers doubts; of all recorders one gets each question. A handler that throws means no answer. */
export function serveDoubt(
  bus: Bus,
  handler: (questions: DoubtQuestion[]) => Promise<DoubtAnswer[]>,
  options: { readonly log?: Log } = {},
): Serving {
  const inner = inside(bus);
  return serve(inner, {
    subject: inNamespace(inner, SUBJECT),
    group: 'recorder',
    log: options.log ?? inner.log,
    answer: async (asked) => ({
      answers: await handler((asked as { questions: DoubtQuestion[] }).questions),
    }),
  });
}

function readAnswers(data: Uint8Array): DoubtAnswer[] | undefined {
  try {
    const { answers } = JSON.parse(decoder.decode(data)) as { answers?: DoubtAnswer[] };
    return Array.isArray(answers) ? answers : undefined;
  } catch {
    return undefined;
  }
}
