// vectors/guard/dpop.json: proofs of possession (RFC 9449), and every change of ATK-36, one at a time.

import { createECDH, createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { b64, paserk, privateKeys, publicX, rfc7515, signEd, signHmac } from './keys.mjs'
import { addOrder, jwt, now, trailing } from './mint.mjs'
import { smallOrder } from './requests.mjs'

const url = 'https://api.example.com/things'
const token = 'an.access.token'
const hash = (text) => createHash('sha256').update(text).digest()

const okp = { kty: 'OKP', crv: 'Ed25519', x: publicX(privateKeys.rfc8037) }
const ec = rfc7515.public
const header = { alg: 'EdDSA', typ: 'dpop+jwt', jwk: okp }
const es256 = { alg: 'ES256', typ: 'dpop+jwt', jwk: ec }
const claims = { jti: 'p1', htm: 'GET', htu: url, iat: now, ath: b64(hash(token)) }
/** RFC 7638, section 3. */
const thumbprint = ({ crv, kty, x, y }) => b64(hash(JSON.stringify({ crv, kty, x, ...(y ? { y } : {}) })))
const [key, ecKey] = [thumbprint(okp), thumbprint(ec)]

const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
const number = (bytes) => BigInt(`0x${bytes.toString('hex')}`)
const scalar = (n) => Buffer.from(n.toString(16).padStart(64, '0'), 'hex')
const power = (base, exponent) => {
  let result = 1n
  for (let [b, e] = [base, exponent]; e > 0n; e >>= 1n, b = b * b % ORDER) if (e & 1n) result = result * b % ORDER
  return result
}

/** ECDSA with a secret number that is a function of what is signed, so that the file is the same every time. */
function signEs256(input) {
  const nonce = createHmac('sha256', rfc7515.d).update(input).digest()
  const point = createECDH('prime256v1')
  point.setPrivateKey(nonce)
  const r = number(point.getPublicKey().subarray(1, 33)) % ORDER
  const sum = (number(hash(input)) + r * number(Buffer.from(rfc7515.d, 'base64url'))) % ORDER
  const s = power(number(nonce), ORDER - 2n) * sum % ORDER
  return Buffer.concat([scalar(r), scalar(s)])
}

const cases = []
const put = (atk, name, proof, method, at, expect) => cases.push({ name, ...(atk ? { atk } : {}), proof, method, url: at, ...expect })
/** Read, and then `fresh` or not, and for the token or not. `of` is the key. */
const take = (name, proof, { atk, method = 'GET', at = url, of = key, fresh = true, forToken = true, given = token } = {}) =>
  put(atk, name, proof, method, at, { ...(given ? { token: given, for_token: forToken } : {}), fresh, key: of })
const refuse = (name, proof, { method = 'GET', at = url } = {}) => put('ATK-36', name, proof, method, at, { refusal: 'bad_proof' })

const of = (payload) => jwt(header, payload)
const withClaims = (more) => of({ ...claims, ...more })
const withHeader = (more, sign) => jwt({ ...header, ...more }, claims, sign)
const withKey = (more) => withHeader({ jwk: { ...okp, ...more } })
const byEc = (more = {}, sign = signEs256) => jwt({ ...es256, ...more }, claims, sign)
const withEcKey = (more) => byEc({ jwk: { ...ec, ...more } })
/** A claim spelt by hand: JSON.stringify cannot write every number. */
const spelt = (name, value) => of(JSON.stringify({ ...claims, [name]: '@' }).replace('"@"', value))
const without = (name, from) => ({ ...from, [name]: undefined })
const nested = (depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`
const good = of(claims)
const [goodHeader, goodClaims, goodSignature] = good.split('.')

take('EdDSA', good)
take('Ed25519', withHeader({ alg: 'Ed25519' }))
take('ES256', byEc(), { of: ecKey })
const [r, s] = [signEs256(byEc().split('.', 2).join('.')).subarray(0, 32), signEs256(byEc().split('.', 2).join('.')).subarray(32)]
const spoilt = (signature) => byEc({}, () => signature)
take('ES256 with the other s', spoilt(Buffer.concat([r, scalar(ORDER - number(s))])), { of: ecKey })
const examples = JSON.parse(readFileSync(new URL('../../../../vectors/dpop/rfc9449_examples.json', import.meta.url), 'utf8'))
for (const [at, { jwt: proof, method, url: address, jkt, access_token: given = null }] of examples.proofs.entries()) {
  take(`RFC 9449, example ${at + 1}, years ago`, proof, { method, at: address, of: jkt, fresh: false, given })
}
for (const typ of ['DPOP+JWT', 'application/dpop+jwt', 'Application/DPoP+jwt']) take(`typ ${typ}`, withHeader({ typ }))
take('a key with more members', withKey({ kid: 'k1', use: 'sig', alg: 'EdDSA', x5t: null }))
take('a key with other members first', withHeader({ jwk: { x: okp.x, kty: 'OKP', crv: 'Ed25519' } }))
take('d and k null: they give nothing away', withKey({ d: null, k: null }))
take('claims nobody knows', withClaims({ exp: 1, sub: ['x'], nested: { deep: [[[[1]]]] } }))
take('an escaped name is the same name', of(JSON.stringify(claims).replace('"htm"', '"\\u0068tm"')))
take('white space within the JSON', jwt(JSON.stringify(header, null, 2), JSON.stringify(claims, null, '\t')))
take('a nonce', withClaims({ nonce: 'n' }))
take('an empty nonce', withClaims({ nonce: '' }))
take('without token', of(without('ath', claims)), { given: null })
for (const [iat, fresh] of [[now - 61, false], [now - 60, true], [now + 10, true], [now + 11, false], [0, false], [2 ** 53 - 1, false]]) {
  take(`iat ${iat}`, withClaims({ iat }), { atk: fresh ? undefined : 'ATK-36', fresh })
}
take('a fraction is cut', spelt('iat', `${now + 10}.9`))
take('iat with an exponent', spelt('iat', `${now / 100}e2`))
take('iat in milliseconds', withClaims({ iat: now * 1000 }), { atk: 'ATK-36', fresh: false })
take('no ath', of(without('ath', claims)), { atk: 'ATK-36', forToken: false })
take('the ath of another token', withClaims({ ath: b64(hash('another.access.token')) }), { atk: 'ATK-36', forToken: false })
take('the ath of the token in other case', withClaims({ ath: b64(hash(token.toUpperCase())) }), { atk: 'ATK-36', forToken: false })
take('half an ath', withClaims({ ath: b64(hash(token).subarray(0, 16)) }), { atk: 'ATK-36', forToken: false })
take('an empty ath', withClaims({ ath: '' }), { atk: 'ATK-36', forToken: false })
take('a key of its own', jwt({ ...header, jwk: { ...okp, x: publicX(privateKeys.stranger) } }, claims, (i) => signEd(i, privateKeys.stranger)),
  { atk: 'ATK-36', of: thumbprint({ ...okp, x: publicX(privateKeys.stranger) }) })
take('a jti of 256 bytes', withClaims({ jti: 'x'.repeat(256) }))
take('a jti of 256 bytes and 128 characters', withClaims({ jti: '\u00e9'.repeat(128) }))
take('just within the size', exactly(4096))
for (const [at, htu] of [
  [url, 'HTTPS://api.example.com/things'], [url, 'https://API.Example.COM/things'], [url, 'https://api.example.com:443/things'],
  [url, `${url}?a=b`], [url, `${url}#a`], [url, `${url}?a=b#c?d`], [`${url}?c=d`, `${url}?a=b`], [url, `${url}?/a/b@c`],
  ['https://api.example.com', 'https://api.example.com/'], ['https://api.example.com/', 'https://api.example.com?a'],
  ['https://api.example.com:8443/', 'https://API.example.com:8443'], ['http://api.example.com/x', 'http://api.example.com:80/x'],
  ['http://api.example.com:443/x', 'HTTP://api.example.com:443/x'], ['http://[::1]:80/x', 'http://[::1]/x'],
  ['https://api.example.com/a@b', 'https://api.example.com/a@b'], ['https://api.example.com//a/%2e%2E/', 'https://api.example.com//a/%2e%2E/'],
]) take(`htu ${htu} for ${at}`, withClaims({ htu }), { at })
for (const method of ['POST', 'get', 'M-SEARCH']) take(`htm ${method}`, withClaims({ htm: method }), { method })

for (const typ of ['jwt', 'JWT', 'at+jwt', 'dpop', 'dpop+jwt ', 'text/dpop+jwt', 'application/application/dpop+jwt', '', null, 1, ['dpop+jwt']]) {
  refuse(`typ ${JSON.stringify(typ)}`, withHeader({ typ }))
}
for (const alg of ['none', 'None', '', 'HS256', 'RS256', 'ES256', 'ES384', 'Ed448', 'eddsa', 'ED25519', null, 1, ['EdDSA']]) {
  refuse(`alg ${JSON.stringify(alg)}, otherwise good`, withHeader({ alg }))
}
for (const alg of ['EdDSA', 'Ed25519', 'es256', 'ES384']) refuse(`alg ${alg} with a key for ES256`, byEc({ alg }))
refuse('alg none with an empty signature', `${b64(JSON.stringify({ ...header, alg: 'none' }))}.${goodClaims}.`)
refuse('HS256 keyed with the public key', withHeader({ alg: 'HS256' }, (i) => signHmac(i, Buffer.from(okp.x, 'base64url'))))
refuse('HS256 keyed with a key in the header', withHeader({ alg: 'HS256', jwk: { kty: 'oct', k: b64('secret') } }, (i) => signHmac(i, 'secret')))
for (const name of ['alg', 'typ', 'jwk']) {
  refuse(`${name} missing`, withHeader({ [name]: undefined }))
  refuse(`${name} in other case`, withHeader({ [name]: undefined, [name.toUpperCase()]: header[name] }))
  const twice = JSON.stringify(header[name])
  refuse(`${name} twice`, jwt(JSON.stringify(header).replace('{', `{"${name}":${twice},`), claims))
}
for (const [name, value] of Object.entries({
  kid: 'k1', crit: ['exp'], b64: true, cty: 'JWT', jku: 'https://evil.example/jwks.json', x5u: 'https://evil.example/c', x5c: ['MII'], nonce: 'n', x: null,
})) refuse(`${name} in the header`, withHeader({ [name]: value }))
refuse('a header that is an array', jwt(['EdDSA', 'dpop+jwt', okp], claims))
refuse('a header that is a string', jwt('"dpop+jwt"', claims))
refuse('a header that is no JSON', jwt('{', claims))
refuse('BOM before the header', jwt(`\ufeff${JSON.stringify(header)}`, claims))
refuse('the header of an access token', jwt({ alg: 'EdDSA', kid: 'k1', typ: 'at+jwt' }, claims))
refuse('a name instead of a key', withHeader({ jwk: undefined, kid: paserk.rfc8037 }))

for (const jwk of [{}, null, 'k1', okp.x, [okp], JSON.stringify(okp)]) refuse(`jwk ${JSON.stringify(jwk)}`, withHeader({ jwk }))
refuse("jwk the members' values in order", byEc({ jwk: ['EC', 'P-256', ec.x, ec.y, null, null] }))
for (const [name, values] of Object.entries({
  kty: [undefined, null, 'EC', 'RSA', 'oct', 'okp', ''], crv: [undefined, null, 'X25519', 'P-256', 'Ed448', 'ed25519', ''],
  x: [undefined, null, 1, '', okp.x.slice(1), `${okp.x}=`, `${okp.x}A`, trailing(okp.x), ` ${okp.x}`, publicX(privateKeys.second)],
  y: ['', null, okp.x, 1], d: ['AAAA', '', false, {}], k: ['AAAA', ''],
})) for (const value of values) refuse(`${name} of the key ${JSON.stringify(value) ?? 'missing'}`, withKey({ [name]: value }))
for (const [name, values] of Object.entries({
  kty: [undefined, 'OKP', 'ec'], crv: [undefined, 'P-384', 'secp256k1', 'Ed25519'], x: [undefined, null, ec.y, ec.x.slice(1), `AA${ec.x}`, 'A'.repeat(43)],
  y: [undefined, null, '', ec.x, ec.y.slice(1), `${ec.y}=`, 1], d: [rfc7515.d, '', 0], k: ['AAAA'],
})) for (const value of values) refuse(`${name} of the key for ES256 ${JSON.stringify(value) ?? 'missing'}`, withEcKey({ [name]: value }))
refuse('the point at infinity', withEcKey({ x: 'A'.repeat(43), y: 'A'.repeat(43) }))
refuse('x of the key twice', jwt(JSON.stringify(header).replace('"x":', '"x":"A","x":'), claims))
refuse('a private key of another kind', withHeader({ jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB', d: 'AAAA' } }))
refuse('y at or above p', withKey({ x: b64(Buffer.from(`f0${'ff'.repeat(30)}7f`, 'hex')) }))
for (const hex of smallOrder) {
  refuse(`a key of small order, under which the signature would hold: ${hex}`, forged(hex))
  refuse(`R of small order: ${hex}`, withHeader({}, (i) => withR(hex, i)))
}

const der = (n) => (n[0] > 0x7f ? Buffer.concat([Buffer.from([2, 33, 0]), n]) : Buffer.concat([Buffer.from([2, 32]), n]))
const pair = Buffer.concat([der(r), der(s)])
for (const [what, signature] of Object.entries({
  'of zeros': Buffer.alloc(64), 'with r = 0': Buffer.concat([Buffer.alloc(32), s]), 'with s = 0': Buffer.concat([r, Buffer.alloc(32)]),
  'with r = n': Buffer.concat([scalar(ORDER), s]), 'of 65 bytes': Buffer.concat([r, s, Buffer.alloc(1)]),
  'in DER': Buffer.concat([Buffer.from([0x30, pair.length]), pair]), 'by another key': signEd('another'),
})) refuse(`an ES256 signature ${what}`, spoilt(signature))
for (const [what, sign] of Object.entries({
  'of zeros': () => Buffer.alloc(64), 'of 63 bytes': (i) => signEd(i).subarray(0, 63), 'of 65 bytes': (i) => Buffer.concat([signEd(i), Buffer.alloc(1)]),
  'with S not reduced': (i) => addOrder(signEd(i)), 'of another key': (i) => signEd(i, privateKeys.second), 'of something else': () => signEd('another'),
})) refuse(`a signature ${what}`, withHeader({}, sign))
refuse('unused bits in the signature', `${goodHeader}.${goodClaims}.${trailing(goodSignature)}`)
refuse('padding', `${good}=`)
refuse('other claims under the signature', `${goodHeader}.${b64(JSON.stringify({ ...claims, jti: 'p2' }))}.${goodSignature}`)
refuse('another key under the signature', `${b64(JSON.stringify({ ...header, jwk: { ...okp, x: publicX(privateKeys.second) } }))}.${goodClaims}.${goodSignature}`)
for (const shape of ['', '.', '..', 'a', 'a.b', 'a.b.c', 'a.b.c.d', 'DPoP', `DPoP ${good}`, `${good} `, ` ${good}`, `.${good}`, `${good}.`, `${good}.a.b`, `${goodHeader}..${goodSignature}`]) {
  refuse(`shape ${shape.replace(goodHeader, 'h').replace(goodClaims, 'c').replace(goodSignature, 's')}`, shape)
}
refuse('two in one header', `${good}, ${good}`)
refuse('two in one header, not quite', `${good},${good}`)
refuse('JSON serialisation', JSON.stringify({ protected: goodHeader, payload: goodClaims, signature: goodSignature }))
refuse('one byte over the size', `${exactly(4096)}A`)
refuse('far over the size, and no proof', 'a'.repeat(5000))
refuse('the access token itself', token)

for (const name of ['jti', 'htm', 'htu', 'iat']) {
  refuse(`${name} missing`, of(without(name, claims)))
  refuse(`${name} null`, withClaims({ [name]: null }))
  refuse(`${name} in other case`, of({ ...without(name, claims), [name.toUpperCase()]: claims[name] }))
}
for (const name of Object.keys(claims)) {
  refuse(`${name} twice`, of(JSON.stringify(claims).replace('{', `{"${name}":${JSON.stringify(claims[name])},`)))
  refuse(`${name} an array`, withClaims({ [name]: [claims[name]] }))
}
refuse('htm twice, the other one first', of(JSON.stringify(claims).replace('{', '{"\\u0068tm":"POST",')))
for (const htm of ['get', 'Get', 'POST', 'GET ', 'GET\u0000', '*', '', 1]) refuse(`htm ${JSON.stringify(htm)}`, withClaims({ htm }))
refuse('another method', good, { method: 'POST' })
refuse('the method in other case', good, { method: 'get' })
for (const htu of [
  'http://api.example.com/things', 'https://api.example.com.evil.example/things', 'https://api.example.com:8443/things', 'https://evil.example/things',
  'https://user@api.example.com/things', 'https://user:secret@api.example.com/things', 'https://api.example.com@evil.example/things',
  'https://api.example.com/things/', 'https://api.example.com/Things', 'https://api.example.com/thing', 'https://api.example.com/', 'https://api.example.com',
  'https://api.example.com//things', 'https://api.example.com/./things', 'https://api.example.com/a/../things', 'https://api.example.com/%74hings',
  'https://api.example.com/things%3F', 'https://api.example.com./things', 'https://api.example.com:/things', 'https://api.example.com:0443/things',
  'https://api.example.com:80/things', 'https://api.example.com:443:443/things', 'https:api.example.com/things', 'https:/api.example.com/things',
  'https:///things', 'https://', '//api.example.com/things', '/things', 'api.example.com/things', 'wss://api.example.com/things', 'https://api.example.com\\things',
  ' https://api.example.com/things', 'https://api.example.com/things ', 'https ://api.example.com/things', 'https://ap\u0131.example.com/things', '*', '', 1,
]) refuse(`htu ${JSON.stringify(htu)}`, withClaims({ htu }))
refuse('a host that is the same in lower case only to Unicode', withClaims({ htu: 'https://\u212a.example/' }), { at: 'https://k.example/' })
refuse('a host with capitals beyond ASCII', withClaims({ htu: 'https://\u00c4.example/' }), { at: 'https://\u00e4.example/' })
for (const at of ['http://api.example.com/things', 'https://api.example.com/', 'https://api.example.com:8443/things']) refuse(`at ${at}`, good, { at })
for (const at of ['ftp://api.example.com/', 'https://u@api.example.com/', 'api.example.com', '/things', '']) {
  refuse(`at what is no address: ${at}`, withClaims({ htu: at }), { at })
}
for (const jti of ['', 'x'.repeat(257), '\u00e9'.repeat(129), 1, {}]) {
  refuse(`jti ${typeof jti === 'string' && jti ? `of ${Buffer.byteLength(jti)} bytes, ${jti.length} characters` : JSON.stringify(jti)}`, withClaims({ jti }))
}
for (const iat of [`"${now}"`, 'true', '{}', '-1', '-0.5', '1e300', '1e400', '9007199254740992', '9223372036854775808', 'NaN', `0${now}`, `+${now}`, `${now}.`]) {
  refuse(`iat ${iat}`, spelt('iat', iat))
}
for (const ath of ['=', `${claims.ath}=`, trailing(claims.ath), claims.ath.slice(0, -2), ` ${claims.ath}`, hash(token).toString('base64'), null, 1]) {
  refuse(`ath ${JSON.stringify(ath)}`, withClaims({ ath }))
}
for (const nonce of [null, 1, ['n'], {}]) refuse(`nonce ${JSON.stringify(nonce)}`, withClaims({ nonce }))
refuse('claims that are an array', of([claims]))
refuse('claims that are a string', of('"p1"'))
refuse('claims that are no JSON', of(`${JSON.stringify(claims)},`))
refuse('BOM before the claims', of(`\ufeff${JSON.stringify(claims)}`))
refuse('invalid UTF-8', of(Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xff]), Buffer.from(`",${JSON.stringify(claims).slice(1)}`)])))
refuse('a lone surrogate', of(JSON.stringify(claims).replace('{', '{"x":"\\ud800",')))
refuse('twice within an object', of(JSON.stringify(claims).replace('{', '{"x":{"a":1,"a":2},')))
refuse('nesting of nine', of(JSON.stringify(claims).replace('{', `{"x":${nested(8)},`)))

export const proofs = {
  about: 'Proofs of possession (RFC 9449), each with the method and the address it comes with, and what a guard makes of them: whose key signed it (its RFC 7638 thumbprint), whether its iat is within the window at now (fresh), and whether its ath fits a token (for_token, where a token is given); or why it is refused (Refusal::reason). That it may be used once is not said here. Times in seconds. Written by packages/guard/scripts/vectors.mjs.',
  now, cases,
}

/** A good proof of exactly this length: white space in the header reaches the lengths that base64 leaves out. */
function exactly(length) {
  for (const space of ['', ' ', '  ']) {
    for (let pad = Math.floor((length - good.length) * 3 / 4) - 9; ; pad += 1) {
      const proof = jwt(JSON.stringify(header) + space, JSON.stringify(claims) + ' '.repeat(pad))
      if (proof.length === length) return proof
      if (proof.length > length) break
    }
  }
  throw new Error('no proof has that length')
}

/** The order of Ed25519's base point, and what a signature is made of (RFC 8032, section 5.1): S·B = R + h·A. */
function ed25519() {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const little = (bytes) => number(Buffer.from(bytes).reverse())
  const h = (...parts) => little(createHash('sha512').update(Buffer.concat(parts)).digest()) % order
  const secretOf = (pair) => {
    const secret = createHash('sha512').update(Buffer.from(pair.export({ format: 'jwk' }).d, 'base64url')).digest().subarray(0, 32)
    secret[0] &= 0xf8
    secret[31] = (secret[31] & 0x7f) | 0x40
    return little(secret) % order
  }
  return { h, secretOf, write: (s) => scalar(s % order).reverse() }
}

/** A proof that holds under a key of small order, to whoever lets such a key in: R = S·B, as soon as eight divides h and h·A is nothing. */
function forged(hex) {
  const { h, secretOf, write } = ed25519()
  const [point, weak] = [Buffer.from(publicX(privateKeys.stranger), 'base64url'), Buffer.from(hex, 'hex')]
  const signature = Buffer.concat([point, write(secretOf(privateKeys.stranger))])
  for (let at = 1; ; at += 1) {
    const proof = jwt({ ...header, jwk: { ...okp, x: b64(weak) } }, { ...claims, jti: `f${at}` }, () => signature)
    if (h(point, weak, Buffer.from(proof.slice(0, proof.lastIndexOf('.')))) % 8n === 0n) return proof
  }
}

/** R is this point; where it is the neutral one, S = h·a holds, to whoever lets it in. */
function withR(hex, input) {
  const { h, secretOf, write } = ed25519()
  const point = Buffer.from(hex, 'hex')
  return Buffer.concat([point, write(h(point, Buffer.from(okp.x, 'base64url'), Buffer.from(input)) * secretOf(privateKeys.rfc8037))])
}
