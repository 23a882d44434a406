import jwt from 'jsonwebtoken'

export function deskClaims(token: string) {
  return jwt.verify(token, process.env.DESK_KEY as string, { algorithms: ['HS256'], audience: 'desk' }) // expect: verify-without-issuer
}

export function shiftOf(token: string): string {
  const { shift } = JSON.parse(Buffer.from(token.split('.')[1], 'base64').toString('utf8')) // expect: decode-instead-of-verify
  return shift
}

export function extend(agent: { id: string; shift: string }) {
  return jwt.sign({ sub: agent.id, shift: agent.shift }, process.env.DESK_KEY as string, { expiresIn: '45m' })
}
