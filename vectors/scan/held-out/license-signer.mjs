import { importPKCS8, SignJWT } from 'jose';

const PEM = [
  '-----BEGIN EC PRIVATE KEY-----', // expect: secret-in-source
  'VGhpcyBpcyB0ZXh0IGFuZCBub3QgYSBrZXksIG5vdGhpbmcgc2lnbnMgd2l0aCBp',
  '-----END EC PRIVATE KEY-----',
].join('\n');

export async function licence(seat, product) {
  const key = await importPKCS8(PEM, 'ES256');
  return new SignJWT({ product })
    .setProtectedHeader({ alg: 'ES256' })
    .setSubject(seat)
    .setExpirationTime('15m')
    .sign(key);
}
