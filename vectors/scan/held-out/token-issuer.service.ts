import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import type { Rider } from './rider.entity';

@Injectable()
export class TokenIssuer {
  constructor(private readonly jwt: JwtService) {}

  forRider(rider: Rider): string {
    return this.jwt.sign({ sub: rider.id, licence: rider.licenceClass }); // expect: token-without-expiry
  }

  forDispatcher(dispatcher: { id: string; lastName: string }) {
    return this.jwt.signAsync(
      {
        sub: dispatcher.id,
        lastName: dispatcher.lastName, // expect: personal-data-in-payload
      },
      { expiresIn: '20m', audience: 'dispatch' },
    );
  }
}
