/** A value with its labels; the value is changed in place, and read at a scrape. */
export interface Cell<Label extends string, Value> {
  readonly labels: Readonly<Record<Label, string>>;
  value: Value;
}

/** The cells of one instrument, one per set of labels. */
export interface Cells<Label extends string, Value> {
  /** The cell of these labels. Whoever counts often keeps it. */
  of(labels: Readonly<Record<Label, string>>): Cell<Label, Value>;
  readonly all: readonly Cell<Label, Value>[];
}

/** In place of a label's value where there would be too many. */
const OTHER = 'other';

/**
 * Makes cells, of which there are never more than `max` and one for each combination of the other labels: a label that a
 * caller chooses (`open`) becomes `other` from then on, so that no flood of names becomes a flood of series.
 */
export function createCells<const Label extends string, Value>(params: {
  open: Label;
  make: () => Value;
  /** Default 200. */
  max?: number;
}): Cells<Label, Value> {
  const { open, make, max = 200 } = params;
  const byKey = new Map<string, Cell<Label, Value>>();
  const all: Cell<Label, Value>[] = [];
  const find = (labels: Readonly<Record<Label, string>>) => byKey.get(Object.values(labels).join('\n'));
  const add = (labels: Readonly<Record<Label, string>>) => {
    const cell = { labels, value: make() };
    byKey.set(Object.values(labels).join('\n'), cell);
    all.push(cell);
    return cell;
  };
  return {
    all,
    of(labels) {
      const found = find(labels);
      if (found) return found;
      if (all.length < max) return add({ ...labels });
      const other = { ...labels, [open]: OTHER };
      return find(other) ?? add(other);
    },
  };
}
