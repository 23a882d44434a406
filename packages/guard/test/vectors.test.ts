/** The cases that both guards read. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cookieValues } from '../src/cookie.js'
import { Origins } from '../src/cross_site.js'
import { KeySet, KeySetError } from '../src/jwks.js'
import { Refusal } from '../src/refusal.js'
import { Verifier } from '../src/verify.js'

const root = new URL('../../../../', import.meta.url)

function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`vectors/guard/${name}.json`, root), 'utf8')) as T
}

interface Tokens {
  issuer: string
  audience: string
  now: number
  jwks: unknown
  cases: { name: string; atk?: string; token: string; claims?: unknown; refusal?: string }[]
}

test('T1: every token is accepted or refused as written', async (t) => {
  const { issuer, audience, now, jwks, cases } = vectors<Tokens>('verify')
  const keys = await KeySet.fromJwks(JSON.stringify(jwks))
  const verifier = new Verifier(issuer, [audience])
  assert.ok(cases.length >= 60)
  for (const { name, atk, token, claims, refusal } of cases) {
    await t.test(`${atk ?? 'T1'} ${name}`, async () => {
      const found = await verifier.verify(token, keys, now * 1000).then(
        (accepted) => ({ claims: accepted }),
        (error: unknown) => ({ refusal: error instanceof Refusal ? error.reason : error }),
      )
      assert.deepEqual(found, claims === undefined ? { refusal } : { claims })
    })
  }
})

test('ATK-29: key sets are read or refused as written', async () => {
  const { cases } = vectors<{ cases: { name: string; document: string; kids?: string[]; fault?: string }[] }>('jwks')
  for (const { name, document, kids, fault } of cases) {
    const found = await KeySet.fromJwks(document).then(
      (set) => ({ kids: set.kids() }),
      (error: unknown) => ({ fault: error instanceof KeySetError ? error.fault : error }),
    )
    assert.deepEqual(found, kids === undefined ? { fault } : { kids }, name)
  }
})

interface CrossSite {
  own: string[]
  listed: string[]
  cases: { sec_fetch_site: string | null; origin: string | null; x_requested_with: boolean; permitted: boolean }[]
}

test('C1: requests pass or do not as written', () => {
  const { own, listed, cases } = vectors<CrossSite>('cross_site')
  const origins = new Origins(own, listed)
  for (const { sec_fetch_site, origin, x_requested_with: customHeader, permitted } of cases) {
    const said = { fetchSite: sec_fetch_site ?? undefined, origin: origin ?? undefined, customHeader }
    assert.equal(origins.permit(said), permitted, JSON.stringify(said))
  }
})

test('ATK-33: cookies are found as written', () => {
  const { name, cases } = vectors<{ name: string; cases: { header: string; values: string[] }[] }>('cookies')
  for (const { header, values } of cases) assert.deepEqual(cookieValues(header, name), values, header)
})

test('the committed vectors are what the script writes', () => {
  execFileSync(process.execPath, [fileURLToPath(new URL('packages/guard/scripts/vectors.mjs', root)), '--check'])
})
