/** The cases that both guards read. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JWK } from 'jose'
import { cookieValues } from '../src/cookie.js'
import { Origins } from '../src/cross_site.js'
import { DecryptionKeys } from '../src/encryption.js'
import { KeySet, KeySetError } from '../src/jwks.js'
import { LoginPage } from '../src/login.js'
import { Problem, type ProblemCode } from '../src/problem.js'
import { Refusal } from '../src/refusal.js'
import type { Subjects } from '../src/subject.js'
import { Verifier } from '../src/verify.js'

const root = new URL('../../../../', import.meta.url)

function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`vectors/${name}.json`, root), 'utf8')) as T
}

interface Case {
  name: string
  atk?: string
  subjects?: Subjects
  token: string
  claims?: unknown
  refusal?: string
}
interface Tokens {
  issuer: string
  audience: string
  now: number
  jwks: unknown
  decryption_keys?: JWK[]
  cases: Case[]
}

const attacks = readdirSync(new URL('vectors/attacks/', root)).map((file) => `attacks/${file.replace(/\.json$/, '')}`)

for (const file of ['guard/verify', 'guard/encrypted', ...attacks]) {
  test(`T1: every token of ${file} is accepted or refused as written`, async (t) => {
    const { issuer, audience, now, jwks, decryption_keys, cases } = vectors<Tokens>(file)
    const keys = await KeySet.fromJwks(JSON.stringify(jwks))
    const opening = decryption_keys && DecryptionKeys.fromJwks(decryption_keys)
    for (const { name, atk, subjects, token, claims, refusal } of cases) {
      await t.test(`${atk ?? 'T1'} ${name}`, async () => {
        const verifier = new Verifier(issuer, [audience], subjects, opening)
        const found = await verifier.verify(token, keys, now * 1000).then(
          (accepted) => ({ claims: accepted }),
          (error: unknown) => ({ refusal: error instanceof Refusal ? error.reason : error }),
        )
        assert.deepEqual(found, claims === undefined ? { refusal } : { claims })
      })
    }
  })
}

test('the cases of an attack stand in the file of its number, and there are enough of each', () => {
  const counts = attacks.map((file) => {
    const { cases } = vectors<Tokens>(file)
    assert.ok(cases.every(({ atk }) => `attacks/${atk?.toLowerCase()}` === file), file)
    return cases.length
  })
  assert.ok(vectors<Tokens>('guard/verify').cases.every(({ atk }) => atk === undefined))
  assert.ok(counts.length >= 25 && counts.reduce((sum, count) => sum + count) >= 500)
  assert.ok(vectors<Tokens>('attacks/atk-38').cases.length >= 40)
  assert.ok(vectors<Tokens>('guard/encrypted').cases.length >= 200)
})

test('JWT-11.2: what is encrypted is refused where nobody can decrypt it', async () => {
  const { issuer, audience, now, jwks, cases } = vectors<Tokens>('guard/encrypted')
  const keys = await KeySet.fromJwks(JSON.stringify(jwks))
  let seen = 0
  for (const { name, subjects, token } of cases) {
    if (token.split('.').length !== 5 || token.length > 4096) continue
    seen += 1
    const found = new Verifier(issuer, [audience], subjects).verify(token, keys, now * 1000)
    await assert.rejects(found, { name: 'Refusal', reason: 'malformed' }, name)
  }
  assert.ok(seen >= 200, String(seen))
})

interface Documents {
  cases: { name: string; document: string; kids?: string[]; fault?: string; paserk_ids?: Record<string, string | null> }[]
}

test('ATK-29: key sets are read or refused as written', async () => {
  for (const { name, document, kids, fault, paserk_ids = {} } of vectors<Documents>('guard/jwks').cases) {
    const set = await KeySet.fromJwks(document).catch((error: unknown) => error)
    if (!(set instanceof KeySet)) {
      assert.equal(set instanceof KeySetError ? set.fault : set, fault, name)
      continue
    }
    assert.deepEqual(set.kids(), kids, name)
    for (const [id, kid] of Object.entries(paserk_ids)) assert.equal(set.get(id)?.kid ?? null, kid, name)
  }
})

interface CrossSite {
  own: string[]
  listed: string[]
  cases: { sec_fetch_site: string | null; origin: string | null; x_requested_with: boolean; permitted: boolean }[]
}

test('C1: requests pass or do not as written', () => {
  const { own, listed, cases } = vectors<CrossSite>('guard/cross_site')
  const origins = new Origins(own, listed)
  for (const { sec_fetch_site, origin, x_requested_with: customHeader, permitted } of cases) {
    const said = { fetchSite: sec_fetch_site ?? undefined, origin: origin ?? undefined, customHeader }
    assert.equal(origins.permit(said), permitted, JSON.stringify(said))
  }
})

test('ATK-33: cookies are found as written', () => {
  const { name, cases } = vectors<{ name: string; cases: { header: string; values: string[] }[] }>('guard/cookies')
  for (const { header, values } of cases) assert.deepEqual(cookieValues(header, name), values, header)
})

interface Logins {
  login: string
  refused: string[]
  cases: { method: string; sec_fetch_mode: string | null; target: string; code: ProblemCode; acr: string | null; location: string | null }[]
}

test('ATK-40: whoever waits for a page is led to the sign-in page as written, and nobody else', () => {
  const { login, refused, cases } = vectors<Logins>('guard/login')
  const page = new LoginPage(login)
  for (const one of cases) {
    const asked = { method: one.method, fetchMode: one.sec_fetch_mode ?? undefined, target: one.target }
    const problem = new Problem(one.code, { challenge: one.acr === null ? {} : { acr_values: one.acr } })
    assert.equal(page.location(asked, problem) ?? null, one.location, JSON.stringify(one))
  }
  for (const path of refused) assert.throws(() => new LoginPage(path), TypeError, path)
})

test('the committed vectors are what the script writes', () => {
  execFileSync(process.execPath, [fileURLToPath(new URL('packages/guard/scripts/vectors.mjs', root)), '--check'])
})
