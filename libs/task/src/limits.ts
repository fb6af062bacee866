import { formatDuration, JetbeatError, type TimeLimits } from '@jetbeat/core';
import type { Clock } from './clock.ts';
import type { Interrupt } from './interrupt.ts';

/** Why `ctx.signal` aborts at the soft time limit. */
export class SoftTimeLimitError extends JetbeatError {
  constructor(limit: number) {
    super('soft_time_limit', `the soft time limit of ${formatDuration(limit)} has passed`);
  }
}

/** Why an attempt ends at the hard time limit. */
export class HardTimeLimitError extends JetbeatError {
  constructor(limit: number, code = 'hard_time_limit', more = '') {
    super(code, `the hard time limit of ${formatDuration(limit)} has passed${more}`);
  }
}

/** Why an attempt has ended whose handler did not end at the hard time limit, and could not be ended. */
export class HandlerAbandonedError extends HardTimeLimitError {
  constructor(limit: number) {
    super(
      limit,
      'handler_abandoned',
      '; the handler does not obey ctx.signal and runs on, abandoned: let it obey, or isolate the task',
    );
  }
}

/**
 * The time limits of one attempt. They run from the beginning; timers are set only for an attempt that does not end at
 * once, and a signal is made only for a handler that asks for it.
 */
export class Limits {
  readonly #timeout: TimeLimits;
  readonly #clock: Clock;
  readonly #interrupt: Interrupt | undefined;
  readonly #begun: number;
  /** Unix milliseconds: when the attempt ends as `timed-out`. */
  readonly deadline: number;
  #controller: AbortController | undefined;
  #aborted = false;
  #reason: unknown;
  #fired = false;
  #stops: (() => void)[] = [];

  constructor(params: {
    readonly timeout: TimeLimits;
    readonly clock: Clock;
    readonly interrupt?: Interrupt | undefined;
  }) {
    this.#timeout = params.timeout;
    this.#clock = params.clock;
    this.#interrupt = params.interrupt;
    this.#begun = this.#clock.elapsed();
    this.deadline = this.#clock.now() + this.#timeout.hard;
    this.#obey();
  }

  /** Aborts at the first of: soft limit, hard limit, the interrupt. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** What the signal says, without making one. */
  get aborted(): boolean {
    return this.#aborted;
  }

  /** Why the signal aborted. */
  get reason(): unknown {
    return this.#reason;
  }

  /** @throws what the signal aborted with */
  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  /** Whether the hard limit has passed by the clock, also when a blocked event loop has kept the timer from firing. */
  isOver(): boolean {
    return this.#fired || this.#clock.elapsed() - this.#begun >= this.#timeout.hard;
  }

  /** Sets the timers, for an attempt that goes on. `onPassed` is called when the hard limit has passed, after the abort. */
  arm(onPassed: () => void): void {
    const { soft, hard } = this.#timeout;
    const gone = this.#clock.elapsed() - this.#begun;
    const after = (limit: number, fn: () => void) =>
      this.#stops.push(this.#clock.after(Math.max(0, limit - gone), fn));
    after(hard, () => {
      this.#fired = true;
      this.#abort(new HardTimeLimitError(hard));
      onPassed();
    });
    if (soft !== undefined) after(soft, () => this.#abort(new SoftTimeLimitError(soft)));
    if (!this.#interrupt) return;
    this.#stops.push(this.#interrupt.listen((reason) => this.#abort(reason)));
    this.#obey();
  }

  /** Ends the timers. */
  stop(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  #obey(): void {
    if (this.#interrupt?.aborted) this.#abort(this.#interrupt.reason);
  }

  #abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
