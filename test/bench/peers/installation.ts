/** Peers that can be run: a program with what it needs around it. */
export interface Installation {
  readonly command: string;
  /** Come before the peer's own. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The version of an installed package. */
  versionOf(name: string): string;
}
