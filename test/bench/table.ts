import type { RowResult } from './result.ts';
import { median } from './statistics.ts';

/** The rows as a Markdown table: median, range, goal, and the median's ratio to the goal. */
export function resultTable(results: readonly RowResult[]): string {
  const lines = results.flatMap((result) =>
    result.measures.map((measure, index) => {
      const first = index === 0 ? [`\`${result.row}\``, result.what] : ['', ''];
      return [...first, result.measures.length === 1 ? '' : measure.name, ...figuresOf(measure)];
    }),
  );
  return table(['row', 'what', 'measure', 'median', 'range', 'goal', 'ratio to goal'], lines);
}

/** CPU time and peak memory of every process, by row: the medians over the runs. */
export function processTable(results: readonly RowResult[]): string {
  const lines = results.flatMap(({ row, runs }) =>
    (runs[0]?.processes ?? []).map(({ name }, index) => {
      const each = runs.flatMap(({ processes }) => processes.filter((other) => other.name === name));
      const cpu = median(each.map(({ cpuSeconds }) => cpuSeconds));
      const peak = median(each.map(({ peakBytes }) => peakBytes)) / 1024 ** 2;
      const seconds = median(runs.map((run) => run.seconds));
      const first = index === 0 ? [`\`${row}\``, `${shown(seconds)} s`] : ['', ''];
      return [...first, name, `${shown(cpu)} s`, `${shown(peak)} MiB`];
    }),
  );
  return table(['row', 'clock', 'process', 'CPU', 'peak memory'], lines);
}

/** A Markdown table whose columns line up. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, 3, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const row = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [row(head), rule, ...lines.map(row)].join('\n');
}

/** A number for the eye: whole from 100 on, else three significant digits. */
export function shown(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

function figuresOf(measure: RowResult['measures'][number]): string[] {
  const { unit, goal, better, median, range } = measure;
  const figures = [`**${shown(median)}** ${unit}`, `${shown(range[0])} – ${shown(range[1])}`];
  if (goal === undefined) return [...figures, '', ''];
  const met = better === 'more' ? median >= goal : median <= goal;
  const ratio = (median / goal).toFixed(2);
  return [...figures, `${better === 'more' ? '≥' : '≤'} ${shown(goal)}`, met ? ratio : `${ratio}, missed`];
}
