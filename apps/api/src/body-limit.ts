/** The largest body of a request, bytes. */
export const BODY_LIMIT = 1_048_576;
