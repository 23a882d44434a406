// vectors/guard/encrypted.json: a signed JWT within a JWE (RFC 7516, ECDH-ES with A256GCM). Deterministic: fixed keys of the
// sender and fixed nonces, which outside of vectors would give everything away.

import { createCipheriv, createECDH, createHash, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { b64, jwks, privateKeys, signEd } from './keys.mjs'
import { audience, claims, collection, header as jwtHeader, id, issuer, jwt, now, text, trailing, withClaims } from './mint.mjs'
import { paseto, withDated } from './paseto.mjs'

const X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const okp = (byte) => createPrivateKey({ key: Buffer.concat([X25519, Buffer.alloc(32, byte)]), format: 'der', type: 'pkcs8' })
/** On P-256, of a private half in base64url. */
function ec(d) {
  const pair = createECDH('prime256v1')
  pair.setPrivateKey(d, 'base64url')
  const point = pair.getPublicKey()
  return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x: b64(point.subarray(1, 33)), y: b64(point.subarray(33)), d }, format: 'jwk' })
}
const jwkOf = (key) => { const { kty, crv, x, y, d } = key.export({ format: 'jwk' }); return { kty, crv, x, ...(y ? { y } : {}), ...(d ? { d } : {}) } }
/** The second one is Bob's, and its sender Alice, of RFC 7518 appendix C. */
const own = { e1: okp(5), e2: ec('VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw') }
const sender = { e1: okp(6), e2: ec('0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo') }
const decryptionKeys = [{ ...jwkOf(own.e1), kid: 'e1', alg: 'ECDH-ES', use: 'enc' }, { ...jwkOf(own.e2), kid: 'e2' }]

/** RFC 7518 section 4.6.2, with an empty PartyUInfo and PartyVInfo unless told otherwise. */
function concatKdf(secret, { algorithm = 'A256GCM', apu = '', bits = 256 } = {}) {
  const number = (n) => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(n); return bytes }
  const part = (value) => Buffer.concat([number(value.length), Buffer.from(value)])
  return createHash('sha256').update(Buffer.concat([number(1), secret, part(algorithm), part(apu), part(''), number(bits)])).digest()
}

const epkOf = (kid) => jwkOf(createPublicKey(sender[kid]))
const agreed = (kid) => diffieHellman({ privateKey: sender[kid], publicKey: createPublicKey(own[kid]) })
const headerOf = (kid = 'e1', more = {}) => ({ alg: 'ECDH-ES', cty: 'JWT', enc: 'A256GCM', epk: epkOf(kid), kid, ...more })

/** The five parts. Whatever the header says, they belong together, so that a lenient reader would accept. */
function seal(plain, { kid = 'e1', header = headerOf(kid), secret = agreed(kid), kdf, iv = Buffer.alloc(12, 1), tagBytes = 16 } = {}) {
  const protectedPart = b64(text(header))
  const cipher = createCipheriv('aes-256-gcm', concatKdf(secret, kdf), iv).setAAD(Buffer.from(protectedPart))
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
  return [protectedPart, '', b64(iv), b64(sealed), b64(cipher.getAuthTag().subarray(0, tagBytes))]
}
export const encrypt = (plain, how) => seal(plain, how).join('.')

const good = jwt(jwtHeader, claims)
const encrypted = (more, how) => encrypt(withClaims(more), how)
const withHeader = (more, kid) => encrypt(good, { kid, header: headerOf(kid, more) })
const withEpk = (change, kid = 'e1', how = {}) => encrypt(good, { kid, header: headerOf(kid, { epk: change(epkOf(kid)) }), ...how })
const without = (name) => { const { [name]: _, ...rest } = headerOf(); return encrypt(good, { header: rest }) }
const spelt = (change) => encrypt(good, { header: change(JSON.stringify(headerOf())) })

const { cases, accept, refuse } = collection()
const swap = refuse.bind(undefined, 'header_not_allowed', 'ATK-20')
const closed = (name, token) => refuse('not_decryptable', 'ATK-20', name, token)
const inner = (reason, name, plain, subjects) => refuse(reason, 'ATK-19', `within: ${name}`, encrypt(plain), subjects)

accept('a signed token within an encrypted one, X25519', encrypt(good))
accept('a signed token within an encrypted one, P-256', encrypt(good, { kid: 'e2' }))
accept('what is private', encrypted({ private: { email: 'a@example.com', name: 'A \u{1f600}' } }), { private: { email: 'a@example.com', name: 'A \u{1f600}' } })
accept('what is private, to P-256', encrypted({ private: { email: '' } }, { kid: 'e2' }), { private: { email: '' } })
accept('private with names of an object', encrypted({ private: { constructor: 'a', toString: 'b' } }), { private: { constructor: 'a', toString: 'b' } })
accept('an actor, roles and a scope', encrypted({ act: { sub: 'client:a', sid: id(5) }, roles: ['r'], scope: 'a b' }), { act: { sub: 'client:a', sid: id(5) }, roles: ['r'], scope: 'a b' })
accept('a header with its members in another order', encrypt(good, { header: Object.fromEntries(Object.entries(headerOf()).reverse()) }))
accept('white space within the header', encrypt(good, { header: JSON.stringify(headerOf(), null, 2) }))
accept('a token that is not encrypted', good)
accept('a PASETO', withDated({}))
accept('a service', encrypted({ sub: 'client:a' }), { sub: 'client:a' }, 'clients')
accept('just within the size', exactly(4096))
refuse('too_large', 'ATK-21', 'one byte over the size', `${exactly(4096)}A`)
refuse('too_large', 'ATK-21', 'a token within that leaves no room', encrypt(jwt(jwtHeader, JSON.stringify(claims).padEnd(3000))))
refuse('bad_claim', undefined, 'what is private, in the clear', withClaims({ private: { email: 'a@example.com' } }))
refuse('bad_claim', undefined, 'what is private, in a PASETO', withDated({ private: { email: 'a@example.com' } }))
for (const hidden of [null, [], ['a'], 'a', 1, true, { a: 1 }, { a: null }, { a: ['b'] }, { a: { b: 'c' } }, { a: 'b', c: true }]) {
  refuse('bad_claim', undefined, `private ${JSON.stringify(hidden)}`, encrypted({ private: hidden }))
}
const twice = (more) => encrypt(jwt(jwtHeader, `${JSON.stringify(claims).slice(0, -1)},${more}}`))
refuse('malformed', 'ATK-13', 'private twice', twice('"private":{"a":"b"},"private":{}'))
refuse('malformed', 'ATK-13', 'a name twice in private, once escaped', twice('"private":{"a":"b","\\u0061":"c"}'))

for (const alg of ['dir', 'none', 'ecdh-es', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW', 'ECDH-1PU', 'RSA1_5', 'RSA-OAEP', 'RSA-OAEP-256', 'A256KW', 'A256GCMKW', 'PBES2-HS256+A128KW', 'HPKE-0', 'EdDSA', '', null, ['ECDH-ES']]) {
  swap(`alg ${JSON.stringify(alg)}`, withHeader({ alg }))
}
for (const enc of ['A128GCM', 'A192GCM', 'A128CBC-HS256', 'A256CBC-HS512', 'a256gcm', 'XC20P', 'none', '', null, 1]) swap(`enc ${JSON.stringify(enc)}`, withHeader({ enc }))
for (const cty of ['jwt', 'Jwt', 'application/jwt', 'at+jwt', 'JWE', 'JSON', '', null, ['JWT']]) {
  refuse('header_not_allowed', 'ATK-19', `cty ${JSON.stringify(cty)}`, withHeader({ cty }))
}
refuse('header_not_allowed', 'ATK-19', 'cty missing', without('cty'))
for (const name of ['alg', 'enc', 'kid', 'epk']) swap(`${name} missing`, without(name))
for (const more of [
  { zip: 'DEF' }, { zip: '' }, { p2c: 2147483647, p2s: 'AAAAAAAAAAA' }, { p2c: 1 }, { apu: 'QWxpY2U' }, { apv: 'Qm9i' }, { apu: '' }, { crit: ['exp'] }, { crit: [] }, { b64: false },
  { jwk: jwkOf(createPublicKey(own.e1)) }, { jku: 'https://evil.example/jwks.json' }, { x5u: 'https://evil.example/c' }, { x5c: ['MII'] }, { x5t: 'a' },
  { typ: 'JWT' }, { typ: 'at+jwt' }, { iv: 'AAAA' }, { tag: 'AAAA' }, { iss: issuer }, { exp: now }, { private: {} },
]) swap(`${JSON.stringify(more).slice(0, 40)} in the header`, withHeader(more))
swap('apu in the header and in the agreement', encrypt(good, { header: headerOf('e1', { apu: b64('Alice') }), kdf: { apu: 'Alice' } }))
swap('kid a number', withHeader({ kid: 1 }))
swap('kid null', withHeader({ kid: null }))
for (const kid of ['e3', 'E1', 'k1', '', 'e1 ', '../e1', 'e1\u0000', '__proto__', 'x'.repeat(65)]) {
  refuse('unknown_key', 'ATK-20', `kid ${JSON.stringify(kid.length > 40 ? '65 characters' : kid)}`, withHeader({ kid }))
}
refuse('malformed', 'ATK-13', 'alg twice', spelt((json) => json.replace('{', '{"alg":"dir",')))
refuse('malformed', 'ATK-13', 'epk twice, once escaped', spelt((json) => json.replace('{', '{"\\u0065pk":{},')))
refuse('malformed', 'ATK-13', 'x twice in epk', spelt((json) => json.replace('"x":', '"x":"AAAA","x":')))
refuse('malformed', 'ATK-15', 'BOM before the header', spelt((json) => `\ufeff${json}`))
refuse('malformed', undefined, 'two values in the header', spelt((json) => `${json}{}`))
refuse('malformed', undefined, 'a header that is no JSON', spelt(() => '{'))
refuse('header_not_allowed', undefined, 'a header that is an array', spelt(() => '["ECDH-ES","JWT","A256GCM",{},"e1"]'))
refuse('malformed', 'ATK-21', 'nesting of nine in the header', spelt((json) => json.replace('{', `{"zip":${'['.repeat(8)}${']'.repeat(8)},`)))

for (const epk of [null, 'x', [], 1, {}]) swap(`epk ${JSON.stringify(epk)}`, withHeader({ epk }))
for (const more of [{ d: b64(Buffer.alloc(32, 6)) }, { kid: 'e1' }, { alg: 'ECDH-ES' }, { use: 'enc' }, { x5u: 'https://evil.example/c' }, { y: null }, { x: 1 }, { kty: null }]) {
  swap(`epk with ${JSON.stringify(more)}`, withEpk((epk) => ({ ...epk, ...more })))
}
for (const name of ['kty', 'crv', 'x']) swap(`epk without ${name}`, withEpk(({ [name]: _, ...rest }) => rest))
closed('epk with a y, X25519', withEpk((epk) => ({ ...epk, y: epk.x })))
closed('epk without y, P-256', withEpk(({ y: _, ...rest }) => rest, 'e2'))
closed('epk of the other curve, to X25519', withEpk(() => epkOf('e2')))
closed('epk of the other curve, to P-256', withEpk(() => epkOf('e1'), 'e2'))
for (const [kid, more] of [['e1', { crv: 'Ed25519' }], ['e1', { crv: 'X448' }], ['e1', { crv: 'x25519' }], ['e1', { kty: 'EC' }], ['e1', { kty: 'oct' }], ['e2', { crv: 'P-384' }], ['e2', { crv: 'secp256k1' }], ['e2', { kty: 'OKP' }]]) {
  closed(`epk of ${kid} with ${JSON.stringify(more)}`, withEpk((epk) => ({ ...epk, ...more }), kid))
}
for (const [what, change] of Object.entries({
  'a byte short': (part) => b64(Buffer.from(part, 'base64url').subarray(1)),
  'a byte long': (part) => b64(Buffer.concat([Buffer.alloc(1), Buffer.from(part, 'base64url')])),
  'with unused bits': trailing,
  'with padding': (part) => `${part}=`,
  empty: () => '',
})) {
  closed(`x ${what}, X25519`, withEpk((epk) => ({ ...epk, x: change(epk.x) })))
  closed(`x ${what}, P-256`, withEpk((epk) => ({ ...epk, x: change(epk.x) }), 'e2'))
  closed(`y ${what}, P-256`, withEpk((epk) => ({ ...epk, y: change(epk.y) }), 'e2'))
}
// Whoever does not look at the shared secret would read these: it is zero.
const low = [
  '00'.repeat(32), `01${'00'.repeat(31)}`, `ec${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(30)}7f`, `ee${'ff'.repeat(30)}7f`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
].flatMap((u) => [u, u.slice(0, 62) + (parseInt(u.slice(62), 16) | 0x80).toString(16).padStart(2, '0')])
for (const u of low) {
  closed(`epk of low order: ${u}`, withEpk((epk) => ({ ...epk, x: b64(Buffer.from(u, 'hex')) }), 'e1', { secret: Buffer.alloc(32) }))
}
const big = (hex) => b64(Buffer.from(hex, 'hex'))
const P = 'ffffffff00000001000000000000000000000000ffffffffffffffffffffffff'
for (const [what, x, y] of [
  ['off the curve', epkOf('e2').y, epkOf('e2').x], ['of zeros', big('00'.repeat(32)), big('00'.repeat(32))], ['with x = p', big(P), epkOf('e2').y],
  ['of ones', big('ff'.repeat(32)), big('ff'.repeat(32))], ['of a curve with b = 0, of order 2', big('00'.repeat(32)), big(`${'00'.repeat(31)}01`)],
  ['with another y', epkOf('e2').x, epkOf('e2').x],
]) closed(`epk ${what}, P-256`, withEpk((epk) => ({ ...epk, x, y }), 'e2', { secret: Buffer.alloc(32) }))

for (const length of [1, 8, 11, 13, 16, 32]) closed(`a nonce of ${length} bytes`, encrypt(good, { iv: Buffer.alloc(length, 1) }))
for (const tagBytes of [1, 4, 8, 12, 15]) closed(`a tag of ${tagBytes} bytes`, encrypt(good, { tagBytes }))
const parts = seal(good)
const flipped = (part, byte) => { const bytes = Buffer.from(part, 'base64url'); bytes[byte] ^= 1; return b64(bytes) }
const change = (at, how) => parts.map((part, n) => (n === at ? how(part) : part)).join('.')
const longer = (part) => b64(Buffer.concat([Buffer.from(part, 'base64url'), Buffer.alloc(1)]))
closed('a tag of 17 bytes', change(4, longer))
closed('another tag', change(4, (part) => flipped(part, 15)))
closed('a tag of zeros', change(4, () => b64(Buffer.alloc(16))))
closed('another nonce', change(2, (part) => flipped(part, 0)))
closed('another first byte', change(3, (part) => flipped(part, 0)))
closed('another last byte', change(3, (part) => flipped(part, Buffer.from(part, 'base64url').length - 1)))
closed('a byte more', change(3, longer))
closed('a byte less', change(3, (part) => b64(Buffer.from(part, 'base64url').subarray(0, -1))))
closed('a header spelt otherwise', change(0, () => b64(JSON.stringify(headerOf(), null, 1))))
closed('the header of another key', change(0, () => b64(text(headerOf('e2')))))
closed('encrypted to a stranger under our name', encrypt(good, { secret: diffieHellman({ privateKey: sender.e1, publicKey: createPublicKey(okp(7)) }) }))
closed('the secret itself as the key', sealedWith(agreed('e1')))
closed('the public key as the key', sealedWith(Buffer.from(decryptionKeys[0].x, 'base64url')))
closed('agreed on for ECDH-ES', encrypt(good, { kdf: { algorithm: 'ECDH-ES' } }))
closed('agreed on for A128GCM', encrypt(good, { kdf: { algorithm: 'A128GCM' } }))
closed('agreed on for 128 bits', encrypt(good, { kdf: { bits: 128 } }))
closed('agreed on with a party that the header does not name', encrypt(good, { kdf: { apu: 'Alice' } }))

const shape = (name, token) => refuse('malformed', 'ATK-20', name, token)
for (const [what, key] of Object.entries({ 'of zeros': b64(Buffer.alloc(32)), 'of one letter': 'A', 'of 40 bytes': b64(Buffer.alloc(40, 1)), 'with padding': '=' })) {
  shape(`a key part ${what}`, change(1, () => key))
}
for (const [at, what] of [[0, 'header'], [2, 'nonce'], [3, 'ciphertext'], [4, 'tag']]) {
  shape(`no ${what}`, change(at, () => ''))
  refuse('malformed', 'ATK-17', `padding behind the ${what}`, change(at, (part) => `${part}=`))
  refuse('malformed', 'ATK-17', `a ${what} of impossible length`, change(at, (part) => part + 'A'.repeat(5 - (part.length % 4))))
}
refuse('malformed', 'ATK-17', 'unused bits in the tag', change(4, trailing))
refuse('malformed', 'ATK-17', 'unused bits in the ciphertext', unused())
refuse('malformed', 'ATK-17', 'white space behind it', `${parts.join('.')} `)
refuse('malformed', 'ATK-17', 'a newline behind it', `${parts.join('.')}\n`)
refuse('malformed', 'ATK-17', 'a byte beyond ASCII', change(3, (part) => `\u00e9${part}`))
shape('four parts', parts.slice(0, 4).join('.'))
shape('four parts, without the key part', parts.filter((part) => part !== '').join('.'))
shape('six parts', `${parts.join('.')}.${parts[4]}`)
shape('six parts, the last empty', `${parts.join('.')}.`)
shape('nothing but dots', '....')
shape('JSON serialisation', JSON.stringify({ protected: parts[0], iv: parts[2], ciphertext: parts[3], tag: parts[4] }))

inner('malformed', 'claims that nobody has signed', JSON.stringify(claims))
inner('malformed', 'alg none with an empty signature', `${b64(text({ ...jwtHeader, alg: 'none' }))}.${b64(text(claims))}.`)
inner('wrong_algorithm', 'alg none with the signature of another', jwt({ ...jwtHeader, alg: 'none' }, claims))
inner('malformed', 'one more encrypted token', encrypt(good))
inner('malformed', 'one more encrypted token, to the other key', encrypt(good, { kid: 'e2' }))
inner('malformed', 'two more encrypted tokens', encrypt(encrypt(good)))
inner('malformed', 'a PASETO', withDated({}))
inner('malformed', 'a PASETO without footer', paseto(claims, '').slice(0, -1))
inner('malformed', 'a byte', 'a')
inner('malformed', 'dots', '..')
inner('malformed', 'a token with a newline behind it', `${good}\n`)
inner('malformed', 'a token in quotation marks', JSON.stringify(good))
inner('malformed', 'a token in UTF-16', Buffer.from(good, 'utf16le'))
inner('malformed', 'a token with a BOM', `\ufeff${good}`)
inner('malformed', 'bytes beyond ASCII', `${good}\u00e9`)
inner('malformed', 'bytes that are no UTF-8', Buffer.concat([Buffer.from(good), Buffer.from([0xff])]))
inner('malformed', 'bytes that are no UTF-8, and two dots', Buffer.concat([Buffer.alloc(2000, 0xff), Buffer.from('..')]))
inner('bad_signature', 'a token that a stranger has signed', jwt(jwtHeader, claims, (i) => signEd(i, privateKeys.stranger)))
inner('unknown_key', 'a token of a key nobody knows', jwt({ ...jwtHeader, kid: 'e1' }, claims))
inner('header_not_allowed', 'a token that carries its key', jwt({ ...jwtHeader, jwk: jwks.keys[0] }, claims))
inner('wrong_type', 'another kind of token', jwt({ ...jwtHeader, typ: 'JWT' }, claims))
inner('wrong_issuer', 'a token of another issuer', withClaims({ iss: 'https://evil.example' }))
inner('wrong_audience', 'a token for somebody else', withClaims({ aud: 'api' }))
inner('wrong_subject', "a service's token", withClaims({ sub: 'client:a' }))
inner('wrong_subject', "a user's token where services are served", good, 'clients')
inner('bad_claim', 'a token without sub', jwt(jwtHeader, { ...claims, sub: undefined }))
inner('bad_claim', 'a token with the times of a PASETO', withClaims({ exp: '2026-11-21T12:00:00Z' }))
inner('expired', 'a token whose time is over', withClaims({ exp: now }))
inner('expired', 'a token whose time is over, with what is private', withClaims({ exp: now, private: { a: 'b' } }))
inner('not_yet_valid', 'a token before its time', withClaims({ nbf: now + 31 }))

export const encryptedTokens = {
  about: 'Access tokens for a guard that has keys to decrypt. Times in seconds. A case holds the claims, or why the token is refused (Refusal::reason). Written by packages/guard/scripts/vectors.mjs.',
  issuer, audience, now, jwks, decryption_keys: decryptionKeys, cases,
}

function sealedWith(key) {
  const [header, , iv] = parts
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url')).setAAD(Buffer.from(header))
  const sealed = Buffer.concat([cipher.update(good), cipher.final()])
  return [header, '', iv, b64(sealed), b64(cipher.getAuthTag())].join('.')
}

/** A good one, whose ciphertext has unused bits at its end. */
function unused() {
  for (let json = JSON.stringify(claims); ; json += ' ') {
    const found = seal(jwt(jwtHeader, json))
    if (found[3].length % 4 !== 0) return [...found.slice(0, 3), trailing(found[3]), found[4]].join('.')
  }
}

/** A good token of exactly this length. White space in the header reaches the lengths that base64 leaves out. */
function exactly(length) {
  for (let space = 0; space < 12; space += 1) {
    for (let pad = 1500; ; pad += 1) {
      const header = JSON.stringify(headerOf()) + ' '.repeat(space)
      const token = encrypt(jwt(jwtHeader, JSON.stringify(claims) + ' '.repeat(pad)), { header })
      if (token.length === length) return token
      if (token.length > length) break
    }
  }
  throw new Error('no token has that length')
}
