import { JetbeatError } from '@jetbeat/core';

/** More questions wait than can be answered in time; whoever asked asks again, or parks the job. */
export class TooManyQuestionsError extends JetbeatError {
  constructor(waiting: number) {
    super('too_many_questions', `${waiting} questions wait for an answer already; ask again in a moment`);
  }
}

/** A question waited so long for the pass before it that its asker has given up, or will before there is an answer. */
export class AskedTooLongAgoError extends JetbeatError {
  constructor(waitedMs: number) {
    super('asked_too_long_ago', `the question has waited ${Math.round(waitedMs)} ms already`);
  }
}

/** Turns many small askings into few large ones. */
export interface Coalescer<Question, Answer> {
  /**
   * Answers in the order of the questions.
   * @throws TooManyQuestionsError, AskedTooLongAgoError, and what the pass throws
   */
  ask(questions: readonly Question[]): Promise<Answer[]>;
}

interface Waiting<Question, Answer> {
  readonly questions: readonly Question[];
  readonly askedAt: number;
  readonly resolve: (answers: Answer[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs few passes at a time; what is asked while they are under way goes into the next one together.
 * @param params.maxPasses passes at a time
 * @param params.maxPerPass questions in one pass, unless one asking alone has more
 * @param params.maxWaiting questions that may wait in all
 * @param params.maxWaitMs milliseconds after which a question that still waits is given up
 */
export function createCoalescer<Question, Answer>(params: {
  pass: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  maxPasses: number;
  maxPerPass: number;
  maxWaiting: number;
  maxWaitMs: number;
  monotonic?: () => number;
}): Coalescer<Question, Answer> {
  const { pass, maxPasses, maxPerPass, maxWaiting, maxWaitMs, monotonic = () => performance.now() } = params;
  const waiting: Waiting<Question, Answer>[] = [];
  let count = 0;
  let underWay = 0;

  const take = () => {
    const taken: Waiting<Question, Answer>[] = [];
    let size = 0;
    for (let next = waiting[0]; next; next = waiting[0]) {
      if (taken.length > 0 && size + next.questions.length > maxPerPass) break;
      waiting.shift();
      count -= next.questions.length;
      const waitedMs = monotonic() - next.askedAt;
      if (waitedMs > maxWaitMs) {
        next.reject(new AskedTooLongAgoError(waitedMs));
        continue;
      }
      size += next.questions.length;
      taken.push(next);
    }
    return taken;
  };
  const run = async () => {
    underWay++;
    // One turn of the event loop, so that what arrives together is answered together.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      const taken = take();
      if (taken.length === 0) break;
      try {
        const answers = await pass(taken.flatMap(({ questions }) => questions));
        let at = 0;
        for (const { questions, resolve } of taken) {
          resolve(answers.slice(at, at + questions.length));
          at += questions.length;
        }
      } catch (error) {
        for (const { reject } of taken) reject(error);
      }
    }
    underWay--;
  };

  return {
    ask(questions) {
      if (count + questions.length > maxWaiting) return Promise.reject(new TooManyQuestionsError(count));
      count += questions.length;
      return new Promise((resolve, reject) => {
        waiting.push({ questions, askedAt: monotonic(), resolve, reject });
        if (underWay < maxPasses) void run();
      });
    },
  };
}
