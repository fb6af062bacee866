/** One line of `/metrics`. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A page in Prometheus' text format, read strictly. */
export interface MetricsPage {
  readonly families: ReadonlyMap<string, { readonly help: string; readonly type: string }>;
  readonly samples: readonly Sample[];
  /** The sum of all samples with this name and these labels; throws where there is none. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/;
const TYPES = ['counter', 'gauge', 'histogram'];

/** Fetches and reads the page of an app. */
export async function scrape(url: string): Promise<MetricsPage> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`/metrics answered ${response.status}: ${text}`);
  const type = response.headers.get('content-type');
  if (type !== 'text/plain; version=0.0.4; charset=utf-8') throw new Error(`content-type ${type}`);
  return readMetrics(text);
}

/**
 * Reads text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/), and what a scraper would only
 * find later: a family in two places, a series twice, buckets that fall.
 * @throws Error naming the line
 */
export function readMetrics(text: string): MetricsPage {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const reader = new Reader();
  for (const line of text.split('\n').slice(0, -1)) {
    try {
      reader.take(line);
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}: ${line}`);
    }
  }
  const { families, samples } = reader;
  for (const [name, { type }] of families) if (type === 'histogram') checkBuckets(name, samples);
  return {
    families,
    samples,
    sum(name, labels = {}) {
      const wanted = Object.entries(labels);
      const found = samples.filter(
        (sample) => sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value),
      );
      if (found.length === 0) throw new Error(`no sample of ${name} ${JSON.stringify(labels)}`);
      return found.reduce((sum, { value }) => sum + value, 0);
    },
  };
}

/** Takes one line after the other. */
class Reader {
  readonly families = new Map<string, { help: string; type: string }>();
  readonly samples: Sample[] = [];
  readonly #seen = new Set<string>();
  #help: { name: string; text: string } | undefined;
  #current = '';

  take(line: string): void {
    if (line === '') return;
    const [, kind, name = '', text = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') this.#help = { name, text };
    else if (kind === 'TYPE') this.#family(name, text);
    else this.#sample(line);
  }

  #family(name: string, type: string): void {
    if (this.#help?.name !== name) throw new Error('a type without its help before it');
    if (this.families.has(name)) throw new Error('a family in two places');
    if (!TYPES.includes(type)) throw new Error('an unknown type');
    this.families.set(name, { help: this.#help.text, type });
    this.#current = name;
  }

  #sample(line: string): void {
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    const sample = { name, labels: readLabels(labels), value: readValue(value) };
    const type = this.families.get(this.#current)?.type;
    const ends = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    if (!ends.some((end) => name === this.#current + end))
      throw new Error(`a sample outside of its family ${this.#current}`);
    if (type === 'counter' && !(sample.value >= 0)) throw new Error('a counter below zero');
    const key = `${name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (this.#seen.has(key)) throw new Error('a series twice');
    this.#seen.add(key);
    this.samples.push(sample);
  }
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== ''; ) {
    const [whole = '', name = '', value = ''] = LABEL.exec(rest) ?? [];
    if (name === '' || name in labels) throw new Error('labels');
    labels[name] = value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
    rest = rest.slice(whole.length);
  }
  return labels;
}

function readValue(text: string): number {
  if (/^[+-]?Inf$/.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) throw new Error('no number');
  return value;
}

function checkBuckets(name: string, samples: readonly Sample[]): void {
  const last = new Map<string, { le: number; value: number }>();
  const series = ({ labels: { le: _, ...labels } }: Sample) => JSON.stringify(labels);
  for (const sample of samples.filter((one) => one.name === `${name}_bucket`)) {
    const le = sample.labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(sample.labels['le']);
    const before = last.get(series(sample));
    if (Number.isNaN(le) || (before && (before.le >= le || before.value > sample.value)))
      throw new Error(`buckets of ${name} fall, at ${sample.labels['le']}`);
    last.set(series(sample), { le, value: sample.value });
  }
  for (const count of samples.filter((one) => one.name === `${name}_count`)) {
    const most = last.get(series(count));
    if (most?.le !== Number.POSITIVE_INFINITY || most.value !== count.value)
      throw new Error(`the count of ${name} is not that of its last bucket`);
  }
}
