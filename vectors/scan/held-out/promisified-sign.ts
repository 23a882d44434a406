import { promisify } from 'node:util'
import jwt from 'jsonwebtoken'

const signAsync = promisify<object, string, string>(jwt.sign)

export async function issueBadge(visitor: { id: string; host: string }): Promise<string> {
  return signAsync({ sub: visitor.id, host: visitor.host }, process.env.BADGE_KEY!) // expect: token-without-expiry
}

export async function issueParking(visitor: { id: string; bay: string }): Promise<string> {
  return jwt.sign({ sub: visitor.id, bay: visitor.bay }, process.env.BADGE_KEY!, { expiresIn: '45 minutes' })
}
