/** The largest body of a request, bytes. */
export const BODY_LIMIT = 1_048_576;
/** The same where nobody has said yet who it is. */
export const SIGN_IN_LIMIT = 8_192;

/** How many keys a body may have, all its objects together; a list of many things may have more. */
export const MAX_KEYS = 10_000;
