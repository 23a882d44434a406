import { Global, Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { TokenIssuer } from './token-issuer';

const jwtConstants = {
  secret: 'DO NOT USE THIS VALUE', // expect: secret-in-source
};

@Global()
@Module({
  imports: [
    JwtModule.registerAsync({
      useFactory: () => ({
        secret: jwtConstants.secret,
        signOptions: {
          issuer: 'core',
          expiresIn: '8h', // expect: token-lives-too-long
        },
      }),
    }),
  ],
  providers: [TokenIssuer],
  exports: [TokenIssuer],
})
export class CoreModule {}
