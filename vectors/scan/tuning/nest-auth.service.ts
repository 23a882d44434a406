import { Injectable, UnauthorizedException } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { UsersService } from '../users/users.service';

@Injectable()
export class SignInService {
  constructor(
    private users: UsersService,
    private jwtService: JwtService,
  ) {}

  async signIn(login: string, pass: string): Promise<{ access_token: string }> {
    const user = await this.users.findOne(login);
    if (!(await user?.matches(pass))) throw new UnauthorizedException();
    const payload = {
      sub: user.id,
      email: user.email, // expect: personal-data-in-payload
      roles: user.roles,
    };
    return { access_token: await this.jwtService.signAsync(payload) }; // expect: token-without-expiry
  }
}
