// The page on which people sign in. It writes text alone into itself, never markup.

const SESSION = '/api/v1/session';
const SESSIONS = '/api/v1/sessions';
const SECTIONS = ['waiting', 'with-key', 'with-provider', 'with-link', 'signed-in'];

const LATER = 'Jetbeat cannot answer now. Please try again in a minute.';
/** What became of signing in with the provider, by the code that stands behind # then. */
const ERRORS = {
  sign_in_failed: 'That took too long, or was begun in another browser. Please try again.',
  sign_in_refused: 'The provider has refused it.',
  not_invited:
    'The provider knows you, but nobody has said what you may do here. Ask whoever runs this installation.',
  provider_unavailable: 'The provider does not answer. Please try again later.',
  provider_wrong:
    'The provider does not answer as it should. Whoever runs this installation finds more in the log.',
  oidc_not_configured: 'There is no provider to sign in with here.',
  too_many_failures: 'There were too many attempts. Please try again in a minute.',
  rate_limited: 'That was too often. Please try again in some minutes.',
  sign_in_insecure:
    'Nobody can sign in at this address: it is neither https nor this machine. Ask whoever runs this installation for the right one.',
  malformed_request: 'The cookies of this address are in a muddle. Please delete them, then sign in.',
  signed_out_here:
    'You are signed out here. At the provider you may still be signed in: on a machine of others sign out there too.',
  unauthorized: 'What you signed in with holds no more. Please try again.',
  database_unavailable: LATER,
  overloaded: LATER,
  timed_out: LATER,
  stopping: LATER,
};

const element = (id) => document.getElementById(id);

function show(...ids) {
  for (const id of SECTIONS) element(id).hidden = !ids.includes(id);
}

function write(id, text) {
  element(id).textContent = text;
  element(id).hidden = text === '';
}

/** Says what went wrong; nothing: nothing did. What was done before is said no more. */
function say(text) {
  write('message', text);
  write('done', '');
}

/** Asks the API; what is wrong is thrown with words for people. */
async function ask(method, path, body) {
  const response = await fetch(path, {
    method,
    cache: 'no-store',
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Error('There is no answer. Please try again.');
  });
  const text = await response.text();
  const answer =
    (response.headers.get('content-type') ?? '').includes('json') && text !== '' ? JSON.parse(text) : {};
  if (response.ok) return answer;
  throw Object.assign(new Error(answer.detail ?? `The answer was ${response.status}.`), {
    status: response.status,
  });
}

/** What stands behind # is read once, and does not stay in the address. */
function takeFragment() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (location.hash !== '') history.replaceState(null, '', location.pathname);
  return { code: fragment.get('code'), error: fragment.get('error') };
}

async function whoIsSignedIn() {
  if (!ways.signedIn) return undefined;
  try {
    return await ask('GET', SESSION);
  } catch (error) {
    if (error.status === 401) return undefined;
    throw error;
  }
}

const timeText = (time) => new Date(time).toLocaleString();

/** How one may sign in and out here, as last told. */
let ways = null;
/** Where to go when one has signed out here; null: one stays. */
let leaveTo = null;

function showSignedIn(session) {
  leaveTo = session.beganBy === 'oidc' ? (ways?.oidc?.signOutUrl ?? null) : null;
  element('name').textContent = session.name;
  element('role').textContent = session.role;
  element('queues').textContent = session.queues === null ? 'all' : session.queues.join(', ');
  element('payloads').textContent = session.payloads ? 'shown' : 'hidden';
  element('until').textContent = timeText(session.expiresAt);
  element('idle').textContent = timeText(session.idleUntil);
  show('signed-in');
}

function showWays() {
  element('provider').textContent = `Sign in with ${ways.oidc?.name ?? ''}`;
  show(...(ways.key ? ['with-key'] : []), ...(ways.oidc === null ? [] : ['with-provider']));
  if (!ways.key) say('Nobody can sign in at this address: it is neither https nor this machine.');
  else element('key').focus();
}

async function signIn(body) {
  say('');
  showSignedIn(await ask('POST', SESSION, body));
}

/** Does what a button asks for, once at a time; says what went wrong. */
function on(id, event, act) {
  element(id).addEventListener(event, async (happened) => {
    happened.preventDefault();
    const buttons = [...document.querySelectorAll('button')];
    for (const button of buttons) button.disabled = true;
    try {
      await act();
    } catch (error) {
      say(error.message);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  });
}

let link = null;

async function begin() {
  say('');
  const { code, error } = takeFragment();
  link = code;
  const wrong =
    error && (Object.hasOwn(ERRORS, error) ? ERRORS[error] : 'That did not work. Please try again.');
  try {
    ways = await ask('GET', `${SESSION}/ways`);
    const session = await whoIsSignedIn();
    if (session) showSignedIn(session);
    else showWays();
    element('anew').hidden = !session;
  } catch (failed) {
    element('waiting').hidden = true;
    say(failed.message);
  }
  // What brought somebody here goes before what the page itself has to say.
  if (wrong) say(wrong);
  // Nobody becomes somebody without being asked: the link may be another one's.
  if (link !== null) show('with-link');
}

on('with-key', 'submit', async () => {
  const key = element('key').value.trim();
  element('key').value = '';
  await signIn({ key });
});
on('follow', 'click', async () => {
  try {
    await signIn({ code: link });
  } catch (error) {
    // What is used up signs nobody in any more: back to what does.
    if (error.status === 401) await begin();
    throw error;
  }
});
on('stay', 'click', begin);
on('sign-out', 'click', async () => {
  await ask('DELETE', SESSION);
  if (leaveTo === null) await begin();
  else location.assign(leaveTo);
});
on('end-others', 'click', async () => {
  say('');
  const { ended } = await ask('POST', `${SESSIONS}/end`, { others: true });
  write(
    'done',
    ended === 0
      ? 'There was no other session that this one may end. Who came by a link ends none but their own: sign in with the key.'
      : `Sessions that are over now: ${ended}.`,
  );
});
addEventListener('hashchange', () => location.hash !== '' && begin());
// A page that comes out of the memory of the browser may show somebody who has signed out.
addEventListener('pageshow', ({ persisted }) => persisted && begin());
show('waiting');
await begin();
