// The dashboard in the browser: its own EventSource, and nothing else.
import { url } from './settings.js';

const $ = (id) => document.getElementById(id);
const KEPT = 120;
const METRICS = {
  cpu: { title: 'Processor', unit: '%', top: () => 100 },
  memory: { title: 'Memory', unit: '%', top: () => 100 },
  load: { title: 'Load (1 min)', unit: '', top: (values) => Math.max(1, ...values) * 1.2 },
};
const samples = [];

for (const [name, { title }] of Object.entries(METRICS)) {
  const card = $('card').content.cloneNode(true).firstElementChild;
  card.id = name;
  card.querySelector('h2').textContent = title;
  $('cards').append(card);
}

function draw() {
  const last = samples.at(-1);
  for (const [name, { title, unit, top }] of Object.entries(METRICS)) {
    const values = samples.map((sample) => sample[name]);
    const highest = top(values);
    const points = values.map((value, n) => `${(KEPT - values.length + n + 1).toFixed(1)},${(40 - 38 * value / highest).toFixed(1)}`);
    const card = $(name);
    card.querySelector('.value').textContent = last[name].toFixed(unit ? 0 : 2) + unit;
    card.querySelector('.line').setAttribute('d', `M${points.join('L')}`);
    card.querySelector('.area').setAttribute('d', `M${points.join('L')}V40H${KEPT - values.length + 1}Z`);
    card.querySelector('svg').setAttribute('aria-label', `${title}, the last ${values.length} values`);
  }
  $('at').textContent = new Date(last.at).toLocaleTimeString();
}

function note(text, kind = '') {
  $('notes').prepend(Object.assign(document.createElement('li'), { className: kind, textContent: text }));
}

let drawing;
function listen(since) {
  // "0" asks for all that history keeps, the latest value at its end. On a reconnect the browser itself names the last event that it had.
  const source = new EventSource(`${url}/sse/dashboard%3Ahost?lastEventId=${encodeURIComponent(since)}`);
  let lastId = since;
  const state = (name) => { $('state').textContent = $('state').className = name; };

  source.onopen = () => state('live');
  source.onmessage = ({ data, lastEventId }) => {
    lastId = lastEventId;
    samples.push(JSON.parse(data));
    samples.splice(0, samples.length - KEPT);
    drawing ??= requestAnimationFrame(() => { drawing = undefined; draw(); });
  };
  source.addEventListener('note', ({ data, lastEventId }) => { lastId = lastEventId; note(data); });
  source.addEventListener('gap', ({ data, lastEventId }) => {
    lastId = lastEventId;
    const { from, to, reason } = JSON.parse(data);
    if (samples.length === 0) return;   // what was there before this page
    note(reason === 'epoch_changed' ? 'The server has started anew: its history is gone.' : `${to - from + 1} values are missing (${reason}).`, 'gap');
  });
  source.onerror = () => {
    state('reconnecting');
    // A status other than 200, from a proxy for instance: the browser gives up, this page does not.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000, lastId);
  };
}
listen('0');
