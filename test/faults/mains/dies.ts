/**
 * Wraps a port so that the process dies by SIGKILL at its n-th call: a fail point by composition, as no production code
 * has one. The call's number comes with the environment of the test, `FAIL_AT` (default 1).
 * @param when whether the real call happens first, or never
 */
export function diesAt<A extends readonly unknown[], R>(
  when: 'before' | 'after',
  port: (...args: A) => Promise<R>,
  counts: (...args: A) => boolean = () => true,
): (...args: A) => Promise<R> {
  const at = Number(process.env['FAIL_AT'] ?? 1);
  let calls = 0;
  return async (...args) => {
    const dies = counts(...args) && ++calls === at;
    if (dies && when === 'before') process.kill(process.pid, 'SIGKILL');
    const result = await port(...args);
    if (dies) process.kill(process.pid, 'SIGKILL');
    return result;
  };
}
