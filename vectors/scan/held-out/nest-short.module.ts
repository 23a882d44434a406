import { Injectable, Module } from '@nestjs/common';
import { JwtModule, JwtService } from '@nestjs/jwt';
import type { Courier } from './courier';

@Injectable()
export class CourierTokens {
  constructor(private readonly jwtService: JwtService) {}

  async issue(courier: Courier) {
    const payload = { sub: courier.id, depot: courier.depot };
    return { token: await this.jwtService.signAsync(payload) };
  }
}

@Module({
  imports: [
    JwtModule.registerAsync({
      useFactory: () => ({
        secret: process.env.COURIER_KEY,
        signOptions: { expiresIn: '12m', issuer: 'couriers', audience: 'depots' },
      }),
    }),
  ],
  providers: [CourierTokens],
})
export class CourierTokensModule {}
