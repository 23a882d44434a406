import { Injectable, Module } from '@nestjs/common';
import { JwtModule, JwtService } from '@nestjs/jwt';

@Injectable()
export class Tickets {
  constructor(private readonly jwt: JwtService) {}

  read(ticket: string) {
    return this.jwt.verifyAsync(ticket);
  }

  issue(seat: string) {
    return this.jwt.signAsync({ sub: seat });
  }
}

@Module({
  imports: [
    JwtModule.register({
      secret: process.env.TICKET_KEY,
      signOptions: { expiresIn: '30m', issuer: 'box-office', audience: 'gate' },
      verifyOptions: { algorithms: ['HS256'], issuer: 'box-office', audience: 'gate' },
    }),
  ],
  providers: [Tickets],
  exports: [Tickets],
})
export class TicketsModule {}
