import jwt from 'jsonwebtoken'

type Role = 'reader' | 'author'

export function tokenFor(id: string, role: Role) {
  const secret = process.env.PRESS_SECRET
  if (!secret) throw new Error('PRESS_SECRET is missing')
  return jwt.sign({ sub: id, role }, secret, {
    expiresIn: process.env.JWT_EXPIRES_IN || '90d', // expect: token-lives-too-long
  })
}
