import jwt from 'jsonwebtoken'

const KEY_ID = 'reports-2024'
const privateKey =
  '-----BEGIN PRIVATE KEY-----\n' + // expect: secret-in-source
  'bm90IGEga2V5OiBhbiBleGFtcGxlIGZvciB0aGUgc2Nhbm5lciwgd2l0aG91dCBh\n' +
  'bnkgbWVhbmluZyBvciB1c2Uu\n' +
  '-----END PRIVATE KEY-----\n'

export const publicKey = `-----BEGIN PUBLIC KEY-----
dGhlIG90aGVyIGhhbGYgb2Ygbm90aGluZw==
-----END PUBLIC KEY-----`

export function reportToken(reportId: string): string {
  return jwt.sign({ sub: reportId }, privateKey, { algorithm: 'RS256', keyid: KEY_ID, expiresIn: '5m' })
}
