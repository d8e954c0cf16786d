// The chat in the browser. npm centrifuge, as it is, connects, renews tokens, comes back after a lost line and gets what was missed.
const $ = (id) => document.getElementById(id);
const login = async (name) => {
  const answer = await fetch(`/token?${new URLSearchParams({ name })}`, { method: 'POST' });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
};
const element = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text });

$('login').onsubmit = async (event) => {
  event.preventDefault();
  const name = $('name').value;
  await login(name).then((who) => start(name, who), (error) => { $('refused').textContent = error.message; });
};

function start(name, { user: me, token, url }) {
  const client = new Centrifuge(`${url.replace('http', 'ws')}/connection/websocket`, {
    token, getToken: async () => (await login(name)).token, minReconnectDelay: 300, maxReconnectDelay: 5000,
  });
  client.on('state', ({ newState }) => { $('state').textContent = $('state').className = newState; });
  const lobby = client.newSubscription('chat:lobby');
  const inbox = client.newSubscription(`inbox:#${me}`);
  const typing = client.newSubscription('typing:lobby');
  let to;            // the user that is whispered to

  /** Shows a message in its place: by its offset in the lobby, whispers as they come. `info` is the server's word, `data` the sender's. */
  function show({ offset, data, info }, whisper) {
    const list = $('messages');
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const later = whisper ? undefined : [...list.children].find((item) => Number(item.dataset.offset) >= offset);
    if (later?.dataset.offset === String(offset)) return;
    const mine = info?.user === me;
    const item = element('li', `${mine ? 'mine' : ''} ${whisper ? 'whisper' : ''}`);
    const names = whisper && mine ? `to ${data.to}` : info?.connInfo?.name;
    item.append(element('b', '', names ?? '?'), element('span', '', String(data.text)));
    if (!whisper) item.dataset.offset = offset;
    list.insertBefore(item, later ?? null);
    if (atEnd || mine) list.scrollTop = list.scrollHeight;
  }

  lobby.on('publication', (message) => { hush(message.info?.user); show(message); });
  lobby.on('subscribed', async ({ wasRecovering, recovered }) => {
    if (wasRecovering && !recovered) $('messages').replaceChildren(element('li', 'note', 'You were away for too long: something may be missing.'));
    const { publications } = await lobby.history({ limit: 50, reverse: true });
    for (const message of publications.reverse()) show(message);
  });
  inbox.on('publication', (message) => show(message, true));

  async function showPeople() {
    const { clients } = await lobby.presence();
    const people = new Map(Object.values(clients).map(({ user, connInfo }) => [user, connInfo.name]));
    $('people').replaceChildren(...[...people].sort().map(([user, person]) => {
      const button = element('button', '', user === me ? `${person} (you)` : person);
      Object.assign(button, { disabled: user === me, title: `Whisper to ${person}`, onclick: () => address(user, person) });
      const item = element('li', '');
      item.append(button);
      return item;
    }));
  }
  for (const event of ['subscribed', 'join', 'leave']) lobby.on(event, () => showPeople().catch(() => {}));

  /** Whom the next messages go to. */
  function address(user, person) {
    to = user && { user, person };
    $('to').hidden = !user;
    $('to').textContent = `to ${person} ✕`;
    $('text').placeholder = user ? `Only ${person} will see it` : 'Say something to everybody';
    $('text').focus();
  }
  $('to').onclick = () => address();

  const writers = new Map();
  const tell = () => { $('typing').textContent = [...writers.values()].map((writer) => `${writer.name} is typing…`).join(' '); };
  const hush = (user) => { clearTimeout(writers.get(user)?.timer); if (writers.delete(user)) tell(); };
  typing.on('publication', ({ info }) => {
    if (info.user === me) return;
    hush(info.user);
    writers.set(info.user, { name: info.connInfo.name, timer: setTimeout(hush, 3000, info.user) });
    tell();
  });
  let told = 0;
  $('text').oninput = () => {
    if (to || Date.now() - told < 2000) return;
    told = Date.now();
    typing.publish({}).catch(() => {});
  };

  $('compose').onsubmit = async (event) => {
    event.preventDefault();
    const text = $('text').value;
    $('text').value = '';
    try {
      if (!to) await lobby.publish({ text });
      else for (const user of [to.user, me]) await client.publish(`inbox:#${user}`, { text, to: to.person });
    } catch {
      $('text').value ||= text;   // not sent: it can be tried again
    }
  };

  for (const subscription of [lobby, inbox, typing]) subscription.subscribe();
  client.connect();
  [$('login').hidden, $('chat').hidden] = [true, false];
  $('text').focus();
}
