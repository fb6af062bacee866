import { randomUUID } from 'node:crypto';
import type { AskedOnce, Claimed, KeptAnswer } from '@jetbeat/postgres';
import type { Log } from '@jetbeat/runtime';

/** So long nobody else answers a request, milliseconds: longer than any request may take. */
const LEASE_MS = 60_000;
/** How long an answer waits until it is kept, milliseconds: then it is given all the same. */
const PATIENCE_MS = 1_000;
/** Claims that are remembered as given up; of more it is waited until their lease is over. */
const MAX_LOST = 1_000;

/** A request that is this process's to answer. */
export interface OwnRequest extends Pick<AskedOnce, 'caller' | 'key'> {
  readonly claim: string;
  /** When its key came first; Unix milliseconds, by PostgreSQL's clock. */
  readonly at: number;
  /** It may have been carried out before, wholly or in part. */
  readonly again: boolean;
}

/** Answers to requests with a key. */
export interface KeptAnswers {
  /** @throws DatabaseUnavailableError */
  claim(asked: AskedOnce): Promise<OwnRequest | Exclude<Claimed, { is: 'mine' }>>;
  /** Keeps the answer; without one the next repeat is carried out. Never rejects, and takes no longer than a second. */
  settle(own: OwnRequest, answer: KeptAnswer | undefined): Promise<void>;
}

/** What keeping answers asks of PostgreSQL. */
interface AnswerPorts {
  claim(asked: AskedOnce & { claim: string; leaseMs: number; over?: string }): Promise<Claimed>;
  keep(own: OwnRequest & { answer: KeptAnswer }): Promise<void>;
  drop(own: OwnRequest): Promise<void>;
}

/** Keeps answers, of all APIs together. */
export function createKeptAnswers(params: AnswerPorts & { log: Pick<Log, 'warn'> }): KeptAnswers {
  const { log } = params;
  // What could not be written: nobody answers these, whatever their rows say.
  const lost = new Set<string>();
  const lose = (id: string) => {
    if (lost.size < MAX_LOST) lost.add(id);
  };
  const claim: KeptAnswers['claim'] = async (asked) => {
    const { caller, key } = asked;
    const id = randomUUID();
    const mine = { ...asked, claim: id, leaseMs: LEASE_MS };
    const ask = (over?: string) =>
      params.claim(over === undefined ? mine : { ...mine, over }).catch((error: unknown) => {
        // It may be written all the same.
        lose(id);
        throw error;
      });
    let claimed = await ask();
    if (claimed.is === 'busy' && lost.has(claimed.claim)) {
      const over = claimed.claim;
      claimed = await ask(over);
      lost.delete(over);
    }
    if (claimed.is !== 'mine') return claimed;
    const { at, again } = claimed;
    return { caller, key, claim: id, at, again };
  };
  const write = async (own: OwnRequest, answer: KeptAnswer | undefined): Promise<void> => {
    try {
      await (answer ? params.keep({ ...own, answer }) : params.drop(own));
    } catch (err) {
      lose(own.claim);
      log.warn(
        { err },
        'the answer to a request with a key could not be kept: a repeat is carried out again',
      );
    }
  };
  return {
    claim,
    settle: (own, answer) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, PATIENCE_MS);
        void write(own, answer).then(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}
