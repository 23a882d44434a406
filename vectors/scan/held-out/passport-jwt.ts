import type { PassportStatic } from 'passport'
import { ExtractJwt, Strategy as JwtStrategy, type StrategyOptions } from 'passport-jwt'
import { repository } from './repository'

export function configure(passport: PassportStatic, publicKey: string): void {
  const strategyOptions: StrategyOptions = {
    jwtFromRequest: ExtractJwt.fromExtractors([(req) => req.cookies?.access ?? null]),
    secretOrKey: publicKey,
    algorithms: ['RS256'],
    issuer: 'https://sso.example.edu',
  }

  passport.use(
    'student',
    new JwtStrategy(strategyOptions, async ({ sub }, done) => { // expect: verify-without-audience
      const student = await repository.students.get(sub)
      done(null, student ?? false)
    }),
  )
}
