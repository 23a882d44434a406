import { JwtService } from '@nestjs/jwt';
import { OnGatewayConnection, WebSocketGateway } from '@nestjs/websockets';
import { Socket } from 'socket.io';

@WebSocketGateway({ namespace: 'board' })
export class BoardGateway implements OnGatewayConnection {
  constructor(private jwt: JwtService) {}

  handleConnection(client: Socket) {
    const token = client.handshake.auth?.token;
    try {
      const payload = this.jwt.verify(token, {
        ignoreExpiration: true, // expect: verify-without-expiry
        algorithms: ['RS256'],
        issuer: 'board-id',
        audience: 'board',
      });
      client.data.user = payload.sub;
    } catch {
      client.disconnect(true);
    }
  }
}
