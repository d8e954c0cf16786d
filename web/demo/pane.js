// @ts-check
// What the three panes have in common: the connection's state, the button that cuts the line, the log.

const MAX_ENTRIES = 200;

/** @param {string} tag @param {string} text @param {string} [className] */
export function element(tag, text, className = '') {
  const node = document.createElement(tag);
  node.textContent = text;
  node.className = className;
  return node;
}

/** Data as people read it: text as it is, everything else as JSON. @param {unknown} data */
export const asText = (data) => (typeof data === 'string' ? data : JSON.stringify(data));

export class Pane {
  #root;

  /** @param {{id: string, title: string, how: string}} what */
  constructor({ id, title, how }) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById('pane-template'));
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.#root = /** @type {HTMLElement} */ (copy.firstElementChild);
    this.#root.dataset.testid = `pane-${id}`;
    this.#part('h2').textContent = title;
    this.#part('.how').textContent = how;
    for (const name of ['state', 'client-id', 'cut', 'log']) this.#part(`.${name}`).dataset.testid = `${name}-${id}`;
    document.getElementById('panes')?.append(copy);
    this.showState('connecting');
  }

  /** @param {string} selector */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.#root.querySelector(selector));
  }

  /** @param {string} state */
  showState(state) {
    this.#root.dataset.state = state;
    this.#part('.state').textContent = state;
  }

  /** @param {string} id */
  showClientId(id) {
    this.#part('.client-id').textContent = id;
  }

  /** For a transport that has no client id. */
  hideClientId() {
    this.#part('.id-row').hidden = true;
  }

  /** The button is off while `cut` runs. @param {() => Promise<void>} cut */
  onCut(cut) {
    const button = /** @type {HTMLButtonElement} */ (this.#part('.cut'));
    button.addEventListener('click', async () => {
      button.disabled = true;
      await cut();
      button.disabled = false;
    });
  }

  /** @param {{offset: number, data: unknown, recovered: boolean}} message */
  showMessage({ offset, data, recovered }) {
    const entry = element('li', '', recovered ? 'message recovered' : 'message');
    entry.dataset.testid = 'message';
    entry.dataset.offset = String(offset);
    entry.dataset.recovered = String(recovered);
    entry.append(element('span', String(offset), 'offset'), element('code', asText(data)));
    if (recovered) entry.append(element('span', 'recovered', 'badge'));
    this.#append(entry);
  }

  /** Something that happened to the stream itself. @param {'gap' | 'note'} kind @param {string} text */
  showNote(kind, text) {
    const entry = element('li', text, kind);
    entry.dataset.testid = kind;
    this.#append(entry);
  }

  /** @param {HTMLElement} entry */
  #append(entry) {
    const log = this.#part('.log');
    log.append(entry);
    while (log.childElementCount > MAX_ENTRIES) log.firstElementChild?.remove();
    log.scrollTop = log.scrollHeight;
  }
}
