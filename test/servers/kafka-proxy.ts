import { connect, createServer, type Server, type Socket } from 'node:net';

/** Numbers of the requests that specs aim at. */
export const API = { produce: 0, fetch: 1, endTxn: 26 } as const;

export type Fault =
  /** The request arrives, its answer does not: the connection is cut. */
  | 'lose-answer'
  /** The request does not arrive: the connection is cut. */
  | 'lose-request'
  /** The request, and what comes after it on its connection, waits for `release`. */
  | 'hold-request';

/**
 * A man in the middle of client and broker that can be down, or lose one request or answer of a chosen kind.
 * The broker has to advertise the proxy's address.
 */
export class KafkaProxy {
  private readonly sockets = new Set<Socket>();
  private fault: { readonly api: number; readonly fault: Fault; then: () => void } | null = null;
  private readonly held = new Set<() => void>();
  private isDown = false;

  private constructor(
    private readonly server: Server,
    readonly port: number,
    public brokerPort = 0,
  ) {}

  static async listen(): Promise<KafkaProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const proxy = new KafkaProxy(server, typeof address === 'object' && address !== null ? address.port : 0);
    server.on('connection', (client) => proxy.relay(client));
    return proxy;
  }

  /** Strikes the next request of this kind; resolves when it has. */
  strike(api: number, fault: Fault): Promise<void> {
    return new Promise((resolve) => (this.fault = { api, fault, then: resolve }));
  }

  /** Strikes nothing any more, and lets go what it holds, late as it is. */
  release(): void {
    this.fault = null;
    for (const letGo of this.held) letGo();
    this.held.clear();
  }

  /** Nobody gets through until `up`. */
  down(): void {
    this.isDown = true;
    for (const socket of this.sockets) socket.destroy();
  }

  up(): void {
    this.isDown = false;
  }

  async close(): Promise<void> {
    this.down();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private relay(client: Socket): void {
    if (this.isDown) {
      client.destroy();
      return;
    }
    const broker = connect({ host: '127.0.0.1', port: this.brokerPort });
    let isStruck = false;
    let waiting: Buffer[] | null = null;
    const letGo = (): void => {
      for (const request of waiting ?? []) broker.write(request);
      waiting = null;
    };
    for (const socket of [client, broker]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        this.held.delete(letGo);
        client.destroy();
        broker.destroy();
      });
    }
    let buffered = Buffer.alloc(0);
    client.on('data', (data) => {
      buffered = Buffer.concat([buffered, data]);
      while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
        const request = buffered.subarray(0, 4 + buffered.readInt32BE(0));
        buffered = buffered.subarray(request.length);
        const fault = this.take(request.readInt16BE(4));
        isStruck ||= fault === 'lose-answer';
        if (fault === 'hold-request') {
          waiting = [];
          this.held.add(letGo);
        }
        if (waiting !== null) waiting.push(request);
        else if (fault !== 'lose-request') broker.write(request);
        else client.destroy();
      }
    });
    broker.on('data', (data) => {
      if (isStruck) client.destroy();
      else client.write(data);
    });
  }

  private take(api: number): Fault | null {
    const { fault } = this;
    if (fault === null || fault.api !== api) return null;
    this.fault = null;
    fault.then();
    return fault.fault;
  }
}
