/** Reads a stream of server-sent events as a browser would. */

export interface ReadEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: unknown;
}

export class EventReader {
  private readonly events: ReadEvent[] = [];
  private readonly waiting = new Set<() => void>();
  private text = '';
  private ended = false;

  private constructor(private readonly aborter: AbortController) {}

  /** @throws Error where the answer is no stream */
  static async open(url: string, lastEventId?: string): Promise<EventReader> {
    const aborter = new AbortController();
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const response = await fetch(url, { signal: aborter.signal, headers });
    if (!response.ok || response.body === null)
      throw new Error(`${response.status}: ${await response.text()}`);
    const reader = new EventReader(aborter);
    void reader.pump(response.body);
    return reader;
  }

  /** The next event of this kind that passes; those before it are gone. */
  async next(event: string, passes: (data: unknown) => boolean = () => true): Promise<ReadEvent> {
    for (;;) {
      const found = this.events.findIndex((one) => one.event === event && passes(one.data));
      const [hit] = found < 0 ? [] : this.events.splice(0, found + 1).slice(-1);
      if (hit !== undefined) return hit;
      if (this.ended) throw new Error(`the stream ended without ${event}`);
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  close(): void {
    this.aborter.abort();
  }

  private async pump(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body) {
        this.text += decoder.decode(chunk, { stream: true });
        this.take();
      }
    } catch {
      // Closed from either side.
    }
    this.ended = true;
    this.wake();
  }

  private take(): void {
    const blocks = this.text.split('\n\n');
    this.text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => [line.split(': ', 1)[0], line.replace(/^\w*: /, '')]),
      );
      const [event, data] = [fields.get('event'), fields.get('data')];
      if (event === undefined || data === undefined) continue;
      this.events.push({ event, id: fields.get('id') ?? null, data: JSON.parse(data) });
    }
    this.wake();
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}
