// @ts-check
// The publish box: by HTTP, or as one of the clients.

/** JSON where the text is JSON, else the text itself. @param {string} text */
function parse(text) {
  try {
    return { data: JSON.parse(text), type: 'application/json' };
  } catch {
    return { data: text, type: 'text/plain' };
  }
}

/** @param {string} channel @param {string} text @param {import('./main.js').Seen} seen */
async function publishByHttp(channel, text, seen) {
  const response = await fetch(`/pub/${encodeURIComponent(channel)}`, {
    method: 'POST',
    headers: { 'Content-Type': parse(text).type },
    body: text,
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${answer}`);
  const { offset } = JSON.parse(answer);
  seen.note(offset);
  return `published at offset ${offset}`;
}

/** @param {{channel: string, clients: Record<string, import('./sdk_client.js').SdkClient>, seen: import('./main.js').Seen}} options */
export function wirePublishBox({ channel, clients, seen }) {
  const form = /** @type {HTMLFormElement} */ (document.getElementById('publish-form'));
  const field = /** @type {HTMLInputElement} */ (document.getElementById('publish-text'));
  const result = /** @type {HTMLOutputElement} */ (document.getElementById('publish-result'));
  let published = 0;

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    published += 1;
    const text = field.value || JSON.stringify({ hello: published });
    const by = /** @type {HTMLButtonElement} */ (event.submitter).value;
    result.className = '';
    result.textContent = 'publishing…';
    try {
      if (by === 'http') {
        result.textContent = await publishByHttp(channel, text, seen);
      } else {
        await clients[by].publish(parse(text).data);
        result.textContent = `published as client ${by.toUpperCase()}`;
      }
    } catch (error) {
      result.className = 'failed';
      result.textContent = `not published: ${/** @type {any} */ (error).message}`;
    }
  });
}
