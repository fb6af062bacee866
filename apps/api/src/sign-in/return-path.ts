/** Where whoever has signed in is led, unless it says otherwise. */
const HOME = '/';
/** As it is written in an address, where a letter may take six characters: a cookie has room for some 4,000. */
const MAX_LENGTH = 1_024;
/** Of this server: one slash, and not what browsers take for a second one (WHATWG URL, "special authority slashes state"). */
const OWN = /^\/(?![/\\])[^\\\p{Cc}]*$/u;
const SOMEWHERE = 'http://own.invalid';

/**
 * Where a browser is led when somebody has signed in: a page of this server, whoever wrote the link. Calls of the API are none.
 * @param asked what the request says; what leads elsewhere is left out
 */
export function returnPath(asked: string | undefined): string {
  if (asked === undefined || asked.length > MAX_LENGTH || !OWN.test(asked)) return HOME;
  const url = URL.parse(asked, SOMEWHERE);
  if (!url || url.origin !== SOMEWHERE) return HOME;
  // Steps back and forth are gone now: "/a/..//elsewhere" was a path of this server before.
  const path = `${url.pathname}${url.search}${url.hash}`;
  const isPage = OWN.test(path) && !/^\/api(\/|$)/i.test(url.pathname);
  return isPage && path.length <= MAX_LENGTH ? path : HOME;
}
