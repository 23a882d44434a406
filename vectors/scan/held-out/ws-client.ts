export class LiveClient {
  private socket?: WebSocket

  constructor(
    private readonly base: string,
    private readonly jwt: () => string,
  ) {}

  open(channel: string): void {
    const query = `channel=${encodeURIComponent(channel)}`
    this.socket = new WebSocket(this.base + '?' + query + '&jwt=' + this.jwt()) // expect: token-in-url
    this.socket.onclose = () => window.setTimeout(() => this.open(channel), 1500)
  }

  send(message: unknown): void {
    this.socket?.send(JSON.stringify(message))
  }
}
