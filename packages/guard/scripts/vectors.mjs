// Writes vectors/guard/*.json: cases that every guard must answer alike. Deterministic: fixed keys (the first is the example
// of RFC 8037, appendix A), fixed times, Ed25519. With --check it only says whether the files are current.
//
// A case gives the claims, or the word for the refusal (`Refusal::reason`). What stands in `atk` is the attack it shows.

import { readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { cookies, crossSite, keySets } from './vectors/requests.mjs'
import { tokens } from './vectors/tokens.mjs'

const folder = new URL('../../../vectors/guard/', import.meta.url)
const check = process.argv.includes('--check')
let stale = false
mkdirSync(folder, { recursive: true })
for (const [name, document] of Object.entries({ verify: tokens, jwks: keySets, cross_site: crossSite, cookies })) {
  const file = new URL(`${name}.json`, folder)
  const text = `${JSON.stringify(document, null, 1)}\n`
  if (!check) writeFileSync(file, text)
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`vectors/guard/${name}.json is not what scripts/vectors.mjs writes; run npm run vectors`)
    stale = true
  }
}
process.exitCode = stale ? 1 : 0
