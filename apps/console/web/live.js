/** The server's events, kept alive: a lost connection is taken up again, and the page knows which it is. */

const RETRY_MS = 1_000;
const RETRY_MS_MAX = 8_000;
/** The status comes every 2 s: after this long without a word the connection is not to be trusted. */
const SILENCE_MS = 8_000;

export class LiveEvents {
  /** @type {EventSource | null} */
  #source = null;
  #heardAt = 0;
  #retryMs = RETRY_MS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  /**
   * @param {Record<string, (data: any) => void>} handlers   by event
   * @param {(state: 'connecting' | 'live' | 'lost') => void} onState
   * @param {() => Promise<boolean>} canOpen   asked before a connection that was refused is tried again
   */
  constructor(handlers, onState, canOpen) {
    this.handlers = handlers;
    this.onState = onState;
    this.canOpen = canOpen;
    setInterval(() => this.#watch(), 1_000);
  }

  /** Follows this view from now on, instead of any other. @param {Record<string, string>} view */
  open(view) {
    this.close();
    this.view = view;
    this.onState('connecting');
    this.#heardAt = performance.now();
    const source = new EventSource(`/api/v1/events?${new URLSearchParams(view)}`);
    this.#source = source;
    source.onopen = () => {
      this.#retryMs = RETRY_MS;
      this.#heard();
    };
    source.onerror = () => {
      if (source !== this.#source) return;
      this.onState('lost');
      // CONNECTING: the browser tries again by itself, and says which event it has seen last.
      if (source.readyState === EventSource.CLOSED) this.#tryLater();
    };
    for (const [event, handle] of Object.entries(this.handlers)) {
      source.addEventListener(event, ({ data }) => {
        if (source !== this.#source) return;
        this.#heard();
        handle(JSON.parse(data));
      });
    }
  }

  close() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
  }

  #heard() {
    this.#heardAt = performance.now();
    this.onState('live');
  }

  #tryLater() {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(async () => {
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
      if (await this.canOpen()) this.open(this.view ?? {});
      else this.#tryLater();
    }, this.#retryMs);
  }

  #watch() {
    if (this.#source === null || performance.now() - this.#heardAt < SILENCE_MS) return;
    this.onState('lost');
    if (this.#source.readyState === EventSource.OPEN) this.open(this.view ?? {});
  }
}
