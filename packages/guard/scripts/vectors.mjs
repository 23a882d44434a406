// Writes vectors/guard/*.json and vectors/attacks/*.json: cases that every guard must answer alike. Deterministic: fixed keys (the
// first is the example of RFC 8037, appendix A), fixed times, Ed25519. With --check it only says whether the files are current.
//
// A case gives the claims, or the word for the refusal (`Refusal::reason`). What stands in `atk` is the attack it shows; those of
// one attack stand in a file of its own.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { encrypt, encryptedTokens } from './vectors/encrypted.mjs'
import { jwks } from './vectors/keys.mjs'
import { audience, claims, collection, header, issuer, jwt, now } from './vectors/mint.mjs'
import { parties } from './vectors/parties.mjs'
import { pasetos } from './vectors/paseto.mjs'
import { proofs } from './vectors/proofs.mjs'
import { cookies, crossSite, keySets, login } from './vectors/requests.mjs'
import { statusClaims, statusLists } from './vectors/status_lists.mjs'
import { tokens } from './vectors/tokens.mjs'

const closed = collection()
closed.refuse('malformed', 'ATK-19', 'an encrypted token, and no key to decrypt it', encrypt(jwt(header, claims)))
closed.refuse('malformed', 'ATK-19', 'an encrypted token to P-256, and no key to decrypt it', encrypt(jwt(header, claims), { kid: 'e2' }))
const all = [...tokens, ...statusClaims, ...pasetos, ...parties, ...closed.cases]
const document = (about, cases) => ({
  about: `${about} and what a guard makes of them. Times in seconds. A case holds the claims, or why the token is refused (Refusal::reason). Written by packages/guard/scripts/vectors.mjs.`,
  issuer, audience, now, jwks, cases,
})

const attacks = [...new Set(all.map(({ atk }) => atk))].filter((atk) => atk !== undefined).sort()
const files = Object.fromEntries([
  ['guard/verify', document('Access tokens', all.filter(({ atk }) => atk === undefined))],
  ['guard/encrypted', encryptedTokens],
  ['guard/jwks', keySets],
  ['guard/cross_site', crossSite],
  ['guard/cookies', cookies],
  ['guard/login', login],
  ['guard/dpop', proofs],
  ['guard/status_list', statusLists],
  ...attacks.map((atk) => [`attacks/${atk.toLowerCase()}`, document(`Access tokens of ${atk}`, all.filter((one) => one.atk === atk))]),
])

const folder = new URL('../../../vectors/', import.meta.url)
const check = process.argv.includes('--check')
const wrong = []
for (const [name, content] of Object.entries(files)) {
  const file = new URL(`${name}.json`, folder)
  const text = `${JSON.stringify(content, null, 1)}\n`
  mkdirSync(new URL('.', file), { recursive: true })
  if (!check) writeFileSync(file, text)
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) wrong.push(name)
}
for (const name of wrong) console.error(`vectors/${name}.json is not what scripts/vectors.mjs writes; run npm run vectors`)
process.exitCode = wrong.length > 0 ? 1 : 0
