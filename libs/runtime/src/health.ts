/** One thing that must be so for an app to do its work. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What is wrong, or how it goes. */
  readonly detail?: string;
  /** When it last got on, Unix milliseconds. */
  readonly lastProgressAt?: number;
}

/** Runs an app's checks. */
export type Checks = () => readonly Check[] | Promise<readonly Check[]>;

/** The answer of `/livez` and `/readyz`. Times are RFC 3339. */
export interface HealthReport {
  readonly ok: boolean;
  readonly checks: readonly { name: string; ok: boolean; detail?: string; lastProgressAt?: string }[];
}

/** Runs checks with a bound of `timeoutMs`; what throws or is slower is not ok. */
export async function healthReport(checks: Checks, timeoutMs = 2_000): Promise<HealthReport> {
  const found = await bounded(checks, timeoutMs);
  return {
    ok: found.every(({ ok }) => ok),
    checks: found.map(({ name, ok, detail, lastProgressAt }) => ({
      name,
      ok,
      ...(detail === undefined ? {} : { detail }),
      ...(lastProgressAt === undefined ? {} : { lastProgressAt: new Date(lastProgressAt).toISOString() }),
    })),
  };
}

/** How long a report is given to whoever asks, milliseconds: the look behind it may be a statement of PostgreSQL. */
const FRESH_MS = 250;

/** Reports of checks for many that ask at once: one look is made for all of them, also while it goes on. */
export function healthReports(
  checks: Checks,
  { freshMs = FRESH_MS, monotonic = () => performance.now() } = {},
): () => Promise<HealthReport> {
  let last: { readonly report: Promise<HealthReport>; until: number } | undefined;
  return () => {
    if (last && monotonic() < last.until) return last.report;
    const look = { report: healthReport(checks), until: Number.POSITIVE_INFINITY };
    last = look;
    // It is bounded, and never fails.
    void look.report.then(() => {
      look.until = monotonic() + freshMs;
    });
    return look.report;
  };
}

async function bounded(checks: Checks, timeoutMs: number): Promise<readonly Check[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Check[]>((resolve) => {
    timer = setTimeout(
      () => resolve([{ name: 'checks', ok: false, detail: `no answer within ${timeoutMs} ms` }]),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([Promise.resolve().then(checks), late]);
  } catch (error) {
    return [{ name: 'checks', ok: false, detail: error instanceof Error ? error.message : String(error) }];
  } finally {
    clearTimeout(timer);
  }
}
