import type { Issue } from '../errors.ts';
import type { PolicyOverrides } from '../policy/policy.ts';
import type { Priority } from './envelope.ts';

/** What became of checking an input: the value that the handler gets, or what is wrong with it. */
export type Checked =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/**
 * What a caller needs of a task: its name, its defaults and, where it has a schema, its check. The tasks of `@jetbeat/task`
 * fit it, so that a client calls them without importing that package.
 */
export interface TaskRef<Input = unknown> {
  readonly name: string;
  readonly queue?: string;
  readonly priority?: Priority;
  readonly policy?: PolicyOverrides;
  /** Never rejects for a wrong input: it answers with the issues. */
  readonly check?: (input: unknown) => Checked | Promise<Checked>;
  /** Exists for the type checker only; no task carries a value here. */
  readonly '~types'?: { readonly input: Input };
}

/** The input that callers of a task give. */
export type InputOf<Ref> = Ref extends { readonly '~types'?: { readonly input: infer Input } }
  ? Input
  : unknown;
