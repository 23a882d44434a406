import { Controller, Get, Headers } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { AccountsService } from './accounts.service';

@Controller('me')
export class MeController {
  constructor(
    private readonly jwtService: JwtService,
    private readonly accounts: AccountsService,
  ) {}

  @Get()
  async me(@Headers('authorization') authorization: string) {
    const claims = this.jwtService.decode(authorization.replace('Bearer ', '')); // expect: decode-instead-of-verify
    return this.accounts.byId(claims.sub);
  }
}
