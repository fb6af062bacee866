// Shows above the reference as whom its requests are made. It writes text alone into the page, never markup.
(() => {
  const SESSION = '/api/v1/session';
  const bar = document.createElement('p');
  bar.id = 'who';
  document.body.prepend(bar);

  const ask = async (path) => {
    const response = await fetch(path, { cache: 'no-store' });
    if (response.ok) return response.json();
    if (response.status === 401) return undefined;
    throw new Error(`${path} answered ${response.status}`);
  };

  const say = (text, link) => {
    const way = document.createElement('a');
    way.href = '/sign-in';
    way.textContent = link;
    bar.replaceChildren(`${text} `, way);
  };

  const look = async () => {
    try {
      const ways = await ask(`${SESSION}/ways`);
      const who = ways?.signedIn ? await ask(SESSION) : undefined;
      if (who)
        say(`Signed in as ${who.name} (${who.role}): requests from this page are made so.`, 'Sign out');
      else say('Not signed in: requests from this page need a key (Authorize), or', 'Sign in');
    } catch {
      say('Who is signed in cannot be told now:', 'Sign in');
    }
  };

  // One may have signed in or out in another tab.
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && look());
  window.addEventListener('pageshow', ({ persisted }) => persisted && look());
  void look();
})();
