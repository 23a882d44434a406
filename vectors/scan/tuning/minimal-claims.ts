import { SignJWT } from 'jose'
import { mail } from './mail'
import type { Person } from './person'

const key = new TextEncoder().encode(process.env.CLAIMS_KEY)

export async function welcome(person: Person) {
  await mail.send({ to: person.email, subject: 'Welcome', text: `Hello ${person.firstName}` })
  return new SignJWT({ sid: person.sessionId, roles: person.roles, tenant: person.tenant })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(person.id)
    .setIssuer('people')
    .setAudience('people')
    .setExpirationTime('15m')
    .sign(key)
}
