import type { DoubtAnswer, DoubtQuestion } from '@jetbeat/core';
import { askDoubt, type Bus } from '@jetbeat/jetstream';

/** At most this many questions in one request: about 100 KB. */
const MAX_QUESTIONS = 500;
/** Questions that arise together go out together, milliseconds. */
const GATHER_MS = 2;

/** Asks the recorder about suspect messages, many in one request. */
export interface Doubts {
  /** Resolves with the answer, or `undefined` when there was none within the bound. Never rejects. */
  ask(question: DoubtQuestion): Promise<DoubtAnswer | undefined>;
  /** Answers what is open with `undefined`. */
  stop(): void;
}

interface Open {
  readonly question: DoubtQuestion;
  readonly answer: (answer: DoubtAnswer | undefined) => void;
}

/** @param params.timeoutMs how long an answer may take, 5 s by design */
export function createDoubts(params: {
  bus: Bus;
  timeoutMs: number;
  onError: (error: unknown) => void;
}): Doubts {
  const { bus, timeoutMs, onError } = params;
  let gathered: Open[] = [];
  let timer: NodeJS.Timeout | undefined;
  const send = () => {
    clearTimeout(timer);
    timer = undefined;
    const open = gathered;
    gathered = [];
    if (open.length === 0) return;
    askDoubt(
      bus,
      open.map(({ question }) => question),
      timeoutMs,
    ).then(
      (answers) => {
        for (const [index, { answer }] of open.entries()) answer(answers?.[index]);
      },
      (error: unknown) => {
        onError(error);
        for (const { answer } of open) answer(undefined);
      },
    );
  };
  return {
    ask: (question) =>
      new Promise((answer) => {
        gathered.push({ question, answer });
        if (gathered.length >= MAX_QUESTIONS) send();
        else timer ??= setTimeout(send, GATHER_MS);
      }),
    stop() {
      clearTimeout(timer);
      for (const { answer } of gathered.splice(0)) answer(undefined);
    },
  };
}
