/**
 * What a job gets that asks for a slot of its key. `proven`: the slot was kept for this very step, so that nobody can have
 * run it before. `later`: it cannot be said now.
 */
export type Claim =
  | { readonly kind: 'taken'; readonly proven: boolean }
  /** `by`: jobs that have the slots, the first few. */
  | { readonly kind: 'full'; readonly taken: number; readonly by?: readonly string[] }
  | { readonly kind: 'later' }
  /** Nothing begins here any more. */
  | { readonly kind: 'closed' };
