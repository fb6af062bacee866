/** Who asked for a job: with a key, or signed in. */
export interface Asker {
  readonly kind: 'key' | 'session';
  /** Id of the key or of the session; never a secret. */
  readonly id: string;
  /** For people: what the key is called, or who is signed in. */
  readonly name: string;
}
