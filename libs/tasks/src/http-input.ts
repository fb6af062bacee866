import { DURATION_PATTERN } from '@jetbeat/core';
import { Reject } from '@jetbeat/task';
import Type, { type Static } from 'typebox';

const Status = Type.Union([
  Type.Integer({ minimum: 200, maximum: 599 }),
  Type.Array(Type.Integer({ minimum: 200, maximum: 599 }), { minItems: 1 }),
  Type.String({ pattern: '^[2-5]xx$' }),
]);

/** The input of `http.request`. */
export const HttpInput = Type.Object(
  {
    method: Type.Optional(Type.Enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])),
    url: Type.String({
      minLength: 1,
      maxLength: 8_192,
      pattern: '^https?://',
      description: 'an address that begins with http:// or https://',
    }),
    headers: Type.Optional(Type.Record(Type.String(), Type.String())),
    body: Type.Optional(Type.Unknown({ description: 'a text as it is; anything else as JSON' })),
    sign: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{1,64}$',
        description: 'name of a secret of the configuration, with which the request is signed',
      }),
    ),
    expectStatus: Type.Optional(Status),
    retryStatus: Type.Optional(Status),
    redirects: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 10, description: 'how many redirects are followed' }),
    ),
    timeout: Type.Optional(
      Type.String({ pattern: DURATION_PATTERN, description: 'one number and one unit of ms, s, m, h, d' }),
    ),
  },
  { additionalProperties: false },
);
export type HttpInput = Static<typeof HttpInput>;

/** These belong to the connection; whoever sets them can smuggle a second request into it. */
const OWN_HEADERS =
  /^(host|connection|content-length|expect|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;

/**
 * The headers to send, in lower case.
 * @throws OnPurposeError (rejected) for one that cannot be set
 */
export function requestHeaders(input: Pick<HttpInput, 'headers' | 'body'>): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': 'jetbeat' };
  if (input.body !== undefined && typeof input.body !== 'string')
    headers['content-type'] = 'application/json';
  for (const [name, value] of Object.entries(input.headers ?? {})) {
    if (OWN_HEADERS.test(name))
      throw Reject(`the header "${name}" cannot be set`, { code: 'invalid_header' });
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw Reject(`the header ${JSON.stringify(name)} is not well-formed`, { code: 'invalid_header' });
    }
    headers[name.toLowerCase()] = value;
  }
  return headers;
}
