import { ApiError } from '../problems/problem.ts';

/** What a message has beside the envelope: headers with ids, target and trace. */
const HEADER_BYTES = 1_024;

/**
 * Refuses a job whose message the NATS server would not take.
 * @param params.envelope size of the envelope, bytes
 * @param params.most largest message of the server, bytes
 * @param params.pointer where the input stands in the request
 * @throws ApiError payload_too_large
 */
export function refuseOversized(params: { envelope: number; most: number; pointer: string }): void {
  const { most, pointer } = params;
  const bytes = params.envelope + HEADER_BYTES;
  if (bytes <= most) return;
  const message = `the job would be a message of ${bytes} bytes, and the NATS server takes ${most}: give a reference instead of the data`;
  throw new ApiError('payload_too_large', message, {
    issues: [{ pointer, code: 'too_large', message }],
  });
}
