import jwt from 'jsonwebtoken'
import type { User } from '../models/user'

export class TokenService {
  generateTokens(user: User) {
    const accessToken = jwt.sign({ sub: user.id }, process.env.JWT_ACCESS_SECRET || 'access-secret', { expiresIn: '15m' }) // expect: secret-in-source
    const refreshToken = jwt.sign({ sub: user.id }, process.env.JWT_REFRESH_SECRET ?? 'refresh-secret', { expiresIn: '30d' }) // expect: secret-in-source
    return { accessToken, refreshToken }
  }

  generateResetLink(user: User) {
    const resetToken = jwt.sign({ sub: user.id, use: 'reset' }, process.env.JWT_RESET_SECRET!, { expiresIn: '12h' })
    return `${process.env.WEB_URL}/reset-password/${resetToken}`
  }
}
