import type { Cell } from './cells.ts';
import type { Histogram } from './histogram.ts';
import type { LabelsOf, MetricName } from './instruments.ts';

/** What an instrument says now: one value where it has no labels, else one per set of labels; `undefined` where unknown. */
type Reading<Name extends MetricName> = [LabelsOf<Name>] extends [never]
  ? number | Histogram | undefined
  : readonly Readonly<Cell<LabelsOf<Name>, number | Histogram>>[] | undefined;

/** Readings of some instruments. */
export type Readings = { readonly [Name in MetricName]?: Reading<Name> };
