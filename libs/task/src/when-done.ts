/**
 * Goes on with a value: at once when it is there, else when it has come. Most checks and many handlers answer at once, and
 * a promise for each step of each job costs more than all that is done in it.
 */
export function whenDone<T, R>(
  value: T | PromiseLike<T>,
  next: (value: T) => R | Promise<R>,
): R | Promise<R> {
  return isPromise(value) ? Promise.resolve(value).then(next) : next(value);
}

function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
