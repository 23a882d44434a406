/**
 * Tokens and keys that the RFCs show: what a resource server makes of every file, by `vectors/decisions.json`. The word of the
 * refusal is compared, so that none is ever refused for its time, its issuer or its audience. The Rust guard reads the same.
 */

import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { decode, encode } from '../src/base64url.js'
import { isKid } from '../src/id.js'
import { KeySet, KeySetError, type VerifyingKey } from '../src/jwks.js'
import { Refusal } from '../src/refusal.js'
import { Verifier } from '../src/verify.js'
import { opened, read, root, verifies } from './published.js'

const FOLDERS = ['dpop', 'rfc-jose-appendix', 'rfc7520-cookbook', 'set', 'status-list']
const NOW = 1_700_000_000_000
const verifier = new Verifier('https://example.com', ['web'])

type Key = Record<string, unknown>

/** What stands in a file, as far as a guard could have to do with it. */
class Found {
  readonly keys: Key[] = []
  /** Compact tokens, and what else might be offered as an access token. */
  readonly tokens: string[] = []
  /** Tokens in a JSON serialisation. */
  readonly json: string[] = []
  /** Claim sets that are written beside a token, or without one. */
  readonly claims: object[] = []
  /** Thumbprints of keys. */
  readonly names: string[] = []

  constructor(path: string, text: string) {
    const kind = path.slice(path.lastIndexOf('.') + 1)
    if (kind === 'jwsc') this.tokens.push(text.trim())
    else if (kind === 'thp') this.names.push(text.trim())
    else if (kind === 'jwsf' || kind === 'jwsg') this.#collect('json', JSON.parse(text))
    else if (kind === 'jwk' || kind === 'jwkset' || kind === 'json') this.#collect('', JSON.parse(text))
    else assert.fail(`what is a .${kind}?`)
  }

  /** `name` is the member that `value` belongs to. */
  #collect(name: string, value: unknown): void {
    if (typeof value === 'string') {
      if (mayBeOffered(name, value)) this.tokens.push(value)
    } else if (Array.isArray(value)) {
      for (const item of value) this.#collect(name, item)
    } else if (typeof value === 'object' && value !== null) {
      if (name === 'claims') this.claims.push(value)
      else if (name === 'json' || name === 'json_flat') this.json.push(JSON.stringify(value))
      // `epk` is one side of an agreement on a key, made for one message.
      else if ('kty' in value && name !== 'epk') this.keys.push(value as Key)
      for (const [member, inner] of Object.entries(value)) this.#collect(member, inner)
    }
  }
}

/** Every text that begins like a header and has parts, but the input of a signature; opaque tokens; the CWTs. */
function mayBeOffered(name: string, text: string): boolean {
  const likeAToken = text.startsWith('eyJ') && text.split('.').length >= 3 && name !== 'sig-input'
  return likeAToken || name === 'access_token' || name.endsWith('_cwt_hex')
}

/** As their owner would publish them, with the name and the algorithm that they lack; a key that stands there twice, once. */
function published(keys: readonly Key[]): Key[] {
  const all: Key[] = []
  for (const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, k: _k, ...key } of keys) {
    const same = (other: Key): boolean => ['kty', 'crv', 'x', 'y', 'n'].every((name) => other[name] === key[name])
    if (key['kty'] !== 'oct' && all.some(same)) continue
    const taken = key['kid'] === undefined || all.some((other) => other['kid'] === key['kid'])
    const alg = key['kty'] === 'OKP' ? 'EdDSA' : 'ES256'
    all.push({ alg, ...key, kid: taken ? `k${all.length}` : key['kid'] })
  }
  return all
}

const setOf = (keys: readonly Key[]): Promise<KeySet> => KeySet.fromJwks(JSON.stringify({ keys }))

/** Whether one of the keys has made the signature, by the algorithm that the header names; `undefined` when that is none of ours. */
async function isSigned(token: string, keys: readonly VerifyingKey[]): Promise<boolean | undefined> {
  const alg = opened(token)?.head.alg
  const end = token.lastIndexOf('.')
  const signature = decode(token.slice(end + 1))
  if (signature === undefined || !['EdDSA', 'Ed25519', 'ES256'].includes(alg as string)) return undefined
  const byOne = async (message: string): Promise<boolean> => {
    const fitting = keys.filter((key) => key.algorithm === alg)
    return (await Promise.all(fitting.map((key) => verifies(key, Buffer.from(message), signature)))).includes(true)
  }
  const message = token.slice(0, end)
  assert.ok(!(await byOne(`${message}A`)), `it verifies whatever was signed: ${token}`)
  return byOne(message)
}

/** Equal words once, with how many there are. */
function counted(words: readonly string[]): string[] {
  const count = new Map<string, number>()
  for (const word of [...words].sort()) count.set(word, (count.get(word) ?? 0) + 1)
  return [...count].map(([word, times]) => (times === 1 ? word : `${times} × ${word}`))
}

/** Why the token is refused; one that is believed is a failure. */
async function refusal(token: string, set: KeySet): Promise<string> {
  return verifier.verify(token, set, NOW).then(
    () => assert.fail(`believed: ${token}`),
    (error: unknown) => (error instanceof Refusal ? error.reason : assert.fail(String(error))),
  )
}

/** All that the guard says of a file, in words. */
async function decision(found: Found, set: KeySet, keys: readonly VerifyingKey[]): Promise<string> {
  const words: string[] = []
  if (found.keys.length > 0) {
    words.push(await setOf(found.keys).then(
      (own) => `${own.kids().length} of ${found.keys.length} keys`,
      (error: unknown) => (error instanceof KeySetError ? error.fault : assert.fail(String(error))),
    ))
    const open = published(found.keys)
    words.push(`${(await setOf(open)).kids().length} of ${open.length} when published`)
  }
  words.push(...counted(await Promise.all(found.tokens.map(async (token) => {
    const signed = await isSigned(token, keys)
    return `${await refusal(token, set)}${signed === undefined ? '' : signed ? ', signed' : ', not signed'}`
  }))))
  words.push(...counted(await Promise.all(found.json.map(async (token) => `${await refusal(token, set)} as JSON`))))
  words.push(...found.names.map((name) => `${isKid(name) ? 'fit' : 'unfit'} to name a key`))
  return words.length === 0 ? 'nothing' : words.join('; ')
}

function filesOf(folder: string): Map<string, Found> {
  const files = new Map<string, Found>()
  const open = ['']
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const entry of readdirSync(new URL(`${folder}/${path}`, root), { withFileTypes: true })) {
      const name = `${path}${entry.name}`
      if (entry.isDirectory()) open.push(`${name}/`)
      else if (entry.name !== 'README.md') {
        files.set(name, new Found(name, readFileSync(new URL(`${folder}/${name}`, root), 'utf8')))
      }
    }
  }
  return files
}

test('JWS-5.2: every example of the RFCs is decided as listed, and no file is left unread', async () => {
  const listed = read<Record<string, Record<string, [words: string, why: string]>>>('decisions')
  assert.deepEqual(Object.keys(listed), FOLDERS)
  const counts: number[][] = []
  for (const folder of FOLDERS) {
    const files = filesOf(folder)
    // All keys of the folder are trusted.
    const set = await setOf(published([...files.values()].flatMap((found) => found.keys)))
    const keys = set.kids().map((kid) => set.get(kid) as VerifyingKey)
    const decided: Record<string, string> = {}
    for (const [name, found] of files) decided[name] = await decision(found, set, keys)
    const rows = Object.entries(listed[folder] ?? {})
    for (const [name, [, why]] of rows) assert.ok(why.length > 0, `${name}: why?`)
    assert.deepEqual(decided, Object.fromEntries(rows.map(([name, [words]]) => [name, words])), folder)
    const count = (of: (found: Found) => unknown[]): number => [...files.values()].flatMap(of).length
    counts.push([files.size, count(({ keys }) => keys), count(({ tokens }) => tokens), count(({ json }) => json)])
  }
  assert.deepEqual(counts, [[1, 3, 6, 0], [24, 21, 10, 2], [32, 36, 20, 53], [1, 0, 2, 0], [2, 1, 3, 0]])
})

test('JWT-BCP-3.12: nothing that others sign is an access token, even by our own key', async () => {
  // A key of Ed25519 in PKCS #8, with a seed of one repeated byte.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)])
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const { kty, crv, x } = secret.export({ format: 'jwk' })
  const set = await setOf([{ kty, crv, x, kid: 'ours', alg: 'EdDSA' }])
  const refused = (typ: string, payload: Uint8Array): Promise<string> => {
    const input = `${encode(JSON.stringify({ alg: 'EdDSA', kid: 'ours', typ }))}.${encode(payload)}`
    return refusal(`${input}.${encode(sign(null, Buffer.from(input), secret))}`, set)
  }
  const count: Record<string, number> = {}
  for (const found of FOLDERS.flatMap((folder) => [...filesOf(folder).values()])) {
    const tokens = found.tokens.map(opened).filter((token) => token !== undefined && token.payload.length > 0)
    const alone = found.claims.map((claims) => ({ head: {}, payload: Buffer.from(JSON.stringify(claims)) }))
    for (const { head, payload } of [...tokens, ...alone] as { head: { typ?: unknown }; payload: Buffer }[]) {
      const own = typeof head.typ === 'string' ? [head.typ] : []
      for (const typ of [...own, 'JWT', 'secevent+jwt', 'statuslist+jwt', 'dpop+jwt']) {
        assert.equal(await refused(typ, payload), 'wrong_type', typ)
      }
      const reason = await refused('at+jwt', payload)
      count[reason] = (count[reason] ?? 0) + 1
    }
  }
  assert.deepEqual(count, { bad_claim: 26, malformed: 7 }, 'malformed are those that are no JSON')
})

test('JWK-4.2: the key of RFC 8037 counts once it has a name and an algorithm', async () => {
  const [signing, naming] = read<{ key: Key; compact: string; jwk_thumbprint_sha256: string }[]>('rfc-jose-appendix/rfc8037_examples')
  assert.ok(signing && naming)
  const { kty, crv, x } = signing.key
  const kid = naming.jwk_thumbprint_sha256
  const cases: [more: Key, expected: number][] = [
    [{}, 0],
    [{ kid }, 0],
    [{ alg: 'EdDSA' }, 0],
    [{ kid, alg: 'ES256' }, 0],
    [{ kid, alg: 'EdDSA', use: 'enc' }, 0],
    [{ kid, alg: 'EdDSA' }, 1],
  ]
  for (const [more, expected] of cases) {
    assert.equal((await setOf([{ kty, crv, x, ...more }])).kids().length, expected, JSON.stringify(more))
  }
  for (const [alg, signed] of [['EdDSA', true], ['Ed25519', false]] as const) {
    const key = (await setOf([{ kty, crv, x, kid, alg }])).get(kid)
    assert.ok(key)
    assert.equal(await isSigned(signing.compact, [key]), signed, `a key has one algorithm, by one name: ${alg}`)
  }
})
