import { Controller, Get, Headers, Module } from '@nestjs/common';
import { JwtModule, JwtService } from '@nestjs/jwt';

@Controller('gate')
class GateController {
  constructor(private readonly jwtService: JwtService) {}

  @Get('open')
  async open(@Headers('x-barcode') barcode: string) {
    const seat = await this.jwtService.verifyAsync(barcode); // expect: verify-without-audience
    return { seat: seat.sub };
  }
}

@Module({
  imports: [
    JwtModule.register({
      publicKey: process.env.GATE_PUBLIC_KEY,
      verifyOptions: { algorithms: ['ES256'], issuer: 'arena' },
    }),
  ],
  controllers: [GateController],
})
export class GateModule {}
