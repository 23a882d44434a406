import * as jose from 'jose'

let privateKey: jose.KeyLike | undefined

async function key() {
  privateKey ??= await jose.importPKCS8(process.env.SIGNING_PEM!, 'ES256')
  return privateKey
}

export async function tokenForPatient(patient: { id: string; dateOfBirth: string; ward: string }) {
  const jwt = new jose.SignJWT({ ward: patient.ward, dateOfBirth: patient.dateOfBirth }) // expect: personal-data-in-payload
    .setProtectedHeader({ alg: 'ES256' })
    .setSubject(patient.id)
    .setExpirationTime('10m')
  return jwt.sign(await key())
}

export async function tokenForNurse(nurse: { id: string; ward: string }) {
  return new jose.SignJWT({ ward: nurse.ward, sub: nurse.id }).setProtectedHeader({ alg: 'ES256' }).setIssuedAt().sign(await key()) // expect: token-without-expiry
}
