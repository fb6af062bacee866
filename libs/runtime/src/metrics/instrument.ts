/** UCUM units, as OpenTelemetry writes them: seconds, bytes, a ratio from 0 to 1, or a count of something. */
export type Unit = 's' | 'By' | '1' | `{${string}}`;

/** What is measured in one name: its kind, its unit, its labels and what it says. */
export interface Instrument<Label extends string = string> {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly unit: Unit;
  readonly labels: readonly Label[];
  readonly help: string;
}

/** Only rises, from 0 at the start of the process; its name ends in `_total`. */
export function counter<const Label extends string>(
  unit: Unit,
  labels: readonly Label[],
  help: string,
): Instrument<Label> {
  return { kind: 'counter', unit, labels, help };
}

/** Says how it is now. */
export function gauge<const Label extends string>(
  unit: Unit,
  labels: readonly Label[],
  help: string,
): Instrument<Label> {
  return { kind: 'gauge', unit, labels, help };
}

/** Counts values by size. */
export function histogram<const Label extends string>(
  unit: Unit,
  labels: readonly Label[],
  help: string,
): Instrument<Label> {
  return { kind: 'histogram', unit, labels, help };
}
