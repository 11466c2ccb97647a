import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands before a server and can be down: clients then find nobody at its address. */
export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private isDown = false;

  private constructor(
    private readonly server: Server,
    private target: URL,
    private readonly port: number,
  ) {}

  /** @param url   of the server behind it */
  static async before(url: string): Promise<TcpProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const proxy = new TcpProxy(server, new URL(url), port);
    server.on('connection', (client) => proxy.relay(client));
    return proxy;
  }

  /** The server's URL by way of the proxy. */
  get url(): string {
    const url = new URL(this.target);
    url.host = `127.0.0.1:${this.port}`;
    return url.href.replace(/\/$/, '');
  }

  /** The server has come back at another address. */
  retarget(url: string): void {
    this.target = new URL(url);
  }

  /** Cuts all connections, and every new one, until `up`. */
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
    const server = connect({ host: this.target.hostname, port: Number(this.target.port) });
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server).pipe(client);
  }
}
