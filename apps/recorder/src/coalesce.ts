import { JetbeatError } from '@jetbeat/core';

/** More questions wait than can be answered in time; whoever asked asks again, or parks the job. */
export class TooManyQuestionsError extends JetbeatError {
  constructor(waiting: number) {
    super('too_many_questions', `${waiting} questions wait for an answer already; ask again in a moment`);
  }
}

/** Turns many small askings into few large ones. */
export interface Coalescer<Question, Answer> {
  /**
   * Answers in the order of the questions.
   * @throws TooManyQuestionsError, and what the pass throws
   */
  ask(questions: readonly Question[]): Promise<Answer[]>;
}

interface Waiting<Question, Answer> {
  readonly questions: readonly Question[];
  readonly resolve: (answers: Answer[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs one pass at a time; what is asked during a pass goes into the next one together.
 * @param params.maxPerPass questions in one pass, unless one asking alone has more
 * @param params.maxWaiting questions that may wait in all
 */
export function createCoalescer<Question, Answer>(params: {
  pass: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  maxPerPass: number;
  maxWaiting: number;
}): Coalescer<Question, Answer> {
  const { pass, maxPerPass, maxWaiting } = params;
  const waiting: Waiting<Question, Answer>[] = [];
  let count = 0;
  let underWay = false;

  const take = () => {
    const taken: Waiting<Question, Answer>[] = [];
    let size = 0;
    for (let next = waiting[0]; next; next = waiting[0]) {
      if (taken.length > 0 && size + next.questions.length > maxPerPass) break;
      size += next.questions.length;
      taken.push(next);
      waiting.shift();
    }
    count -= size;
    return taken;
  };
  const run = async () => {
    underWay = true;
    // One turn of the event loop, so that what arrives together is answered together.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      const taken = take();
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
    underWay = false;
  };

  return {
    ask(questions) {
      if (count + questions.length > maxWaiting) return Promise.reject(new TooManyQuestionsError(count));
      count += questions.length;
      return new Promise((resolve, reject) => {
        waiting.push({ questions, resolve, reject });
        if (!underWay) void run();
      });
    },
  };
}
