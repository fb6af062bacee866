/**
 * Milliseconds by a clock that nobody sets, the same in every thread of this process (`performance.now` begins anew in each
 * of them).
 */
export const processTime = (): number => Number(process.hrtime.bigint()) / 1e6;
