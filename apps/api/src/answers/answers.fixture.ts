import type { AskedOnce, KeptAnswer } from '@jetbeat/postgres';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type InjectOptions,
  type LightMyRequestResponse,
} from 'fastify';
import { answerOnce } from './answer-once.ts';
import type { KeptAnswers, OwnRequest } from './kept-answers.ts';

/** Answers of a test, and what was asked of them. */
export interface TestAnswers extends KeptAnswers {
  readonly asked: AskedOnce[];
  /** Undefined: it is not kept. */
  readonly settled: (KeptAnswer | undefined)[];
  /** What the next request is told, or how it differs from one that comes for the first time. */
  next: Partial<OwnRequest> | Awaited<ReturnType<KeptAnswers['claim']>>;
}

/** Keeps nothing. */
export function testAnswers(): TestAnswers {
  const answers: TestAnswers = {
    asked: [],
    settled: [],
    next: {},
    async claim(one) {
      answers.asked.push(one);
      const { next } = answers;
      return 'is' in next ? next : { ...one, claim: 'c', at: 1_000, again: false, ...next };
    },
    async settle(_own, answer) {
      answers.settled.push(answer);
    },
  };
  return answers;
}

/** An app that does nothing but answer once. */
export interface OnceApp {
  readonly app: FastifyInstance;
  /** Asks by `POST`, with an `Idempotency-Key`. */
  ask(url: string): Promise<LightMyRequestResponse>;
  /** The answer to the last request, which may be given by others than its handler. */
  reply(): FastifyReply | undefined;
}

/** Makes one, which an admin asks. */
export function createOnceApp(answers: KeptAnswers): OnceApp {
  const app = Fastify();
  let given: FastifyReply | undefined;
  app.addHook('onRequest', async (request, reply) => {
    request.caller = { kind: 'key', id: 'a', hash: '', name: 'a', role: 'admin', payloads: true };
    given = reply;
  });
  app.decorateRequest<string | null>('bodyHash', null);
  answerOnce(app, answers);
  const options: InjectOptions = { method: 'POST', headers: { 'idempotency-key': 'k' } };
  return { app, ask: (url) => app.inject({ ...options, url }), reply: () => given };
}
