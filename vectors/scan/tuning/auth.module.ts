import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { AuthController } from './auth.controller';
import { AuthService } from './auth.service';
import { UsersModule } from '../users/users.module';

@Module({
  imports: [
    UsersModule,
    PassportModule.register({ defaultStrategy: 'jwt' }),
    JwtModule.register({
      global: true,
      secret: 'nest-demo-secret', // expect: secret-in-source
      signOptions: { expiresIn: '1d' }, // expect: token-lives-too-long
    }),
  ],
  controllers: [AuthController],
  providers: [AuthService],
})
export class AuthModule {}
