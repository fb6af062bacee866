/** Sets the headers of every answer. */
export type SecurityHeaders = (head: Head, path: string) => void;

/** The head of an answer, of the framework or written by hand. */
interface Head {
  header(name: string, value: string): unknown;
}

/**
 * An answer of the API is data: whatever a browser makes of it, it runs nothing, loads nothing and is shown in no frame
 * (OWASP REST Security Cheat Sheet, "Security Headers"). And nobody keeps it: it has what only its caller may see.
 */
const DATA = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** What a page of ours may load: what this server has, and nothing from elsewhere, over plain HTTP too. */
export const PAGE_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const { 'cache-control': _, ...LASTING } = DATA;
/** Pages beside that keep out of the reach of other windows, and ask for no device. */
const PAGE = {
  ...LASTING,
  'content-security-policy': PAGE_CSP,
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

/** The same of the page on which people sign in: it is a key that is typed there. Nothing is sent by a form of its own, were its script not there. */
const SIGN_IN = {
  ...PAGE,
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'cache-control': 'no-store',
};

/** A year; not for subdomains, which are not ours to decide about (RFC 6797 §6.1). */
const HSTS = { 'strict-transport-security': 'max-age=31536000' };

/**
 * Makes what sets the headers that keep browsers from harm. Nothing allows another origin to read an answer: there is no CORS.
 * @param params.secure browsers reach it by https alone
 */
export function securityHeaders({ secure }: { secure: boolean }): SecurityHeaders {
  const always = secure ? HSTS : {};
  const data = Object.entries({ ...DATA, ...always });
  const page = Object.entries({ ...PAGE, ...always });
  const signIn = Object.entries({ ...SIGN_IN, ...always });
  const headersOf = (path: string) =>
    path.startsWith('/docs') ? page : path.startsWith('/sign-in') ? signIn : data;
  return (reply, path) => {
    for (const [name, value] of headersOf(path)) reply.header(name, value);
  };
}
