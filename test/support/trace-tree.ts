import type { JaegerSpan, JaegerTrace } from './jaeger.ts';

/** A span of a trace, under the one that it is a child of. */
interface Branch {
  readonly span: JaegerSpan;
  readonly service: string;
  readonly children: readonly Branch[];
}

/** Puts spans under their parents, the earliest first; whatever has none in the trace is at the top. */
function grow(trace: JaegerTrace): Branch[] {
  const ids = new Set(trace.spans.map(({ spanID }) => spanID));
  const parentOf = (span: JaegerSpan) =>
    span.references.find(({ refType, spanID }) => refType === 'CHILD_OF' && ids.has(spanID))?.spanID;
  const under = (parent: string | undefined): Branch[] =>
    trace.spans
      .filter((span) => parentOf(span) === parent)
      .sort((a, b) => a.startTime - b.startTime || b.duration - a.duration)
      .map((span) => ({
        span,
        service: trace.processes[span.processID]?.serviceName ?? '',
        children: under(span.spanID),
      }));
  return under(undefined);
}

const WIDTH = 46;

/** Draws a trace as text: the tree, from when and how long, and what each span links to. */
export function drawTrace(trace: JaegerTrace): string {
  const begun = Math.min(...trace.spans.map(({ startTime }) => startTime));
  const numbers = new Map<string, number>();
  const line = ({ span, service }: Branch, depth: number): string => {
    const links = span.references
      .filter(({ refType }) => refType === 'FOLLOWS_FROM')
      .map(({ spanID }) => ` → after #${numbers.get(spanID) ?? '?'}`);
    if (span.operationName.startsWith('process ')) numbers.set(span.spanID, numbers.size + 1);
    const number = numbers.has(span.spanID) ? ` #${numbers.get(span.spanID)}` : '';
    const failed = span.tags.some(({ key, value }) => key === 'error' && value === true) ? ' failed' : '';
    const name = `${'  '.repeat(depth)}${span.operationName}${number}`;
    const times = `${ms(span.startTime - begun).padStart(9)} ${ms(span.duration).padStart(9)}`;
    return `${name.padEnd(WIDTH)}${times}  ${service.replace('jetbeat-', '')}${failed}${links.join('')}`;
  };
  const draw = (branches: readonly Branch[], depth: number): string[] =>
    branches.flatMap((branch) => [line(branch, depth), ...draw(branch.children, depth + 1)]);
  return [
    `${''.padEnd(WIDTH)}${'from ms'.padStart(9)} ${'takes ms'.padStart(9)}  by`,
    ...draw(grow(trace), 0),
  ].join('\n');
}

function ms(microseconds: number): string {
  return (microseconds / 1_000).toFixed(1);
}
