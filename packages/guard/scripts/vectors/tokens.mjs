// JWTs, of vectors/guard/verify.json and vectors/attacks/.

import { smallOrder } from './requests.mjs'
import { b64, jwks, privateKeys, publicDer, publicPem, publicX, signEd, signHmac } from './keys.mjs'
import { addOrder, claims, collection, header, id, issuer, jwt, now, text, trailing, withClaims, without } from './mint.mjs'

const good = jwt(header, claims)
const [goodHeader, goodPayload, goodSignature] = good.split('.')

const { cases, accept, refuse } = collection()
const withHeader = (more) => jwt({ ...header, ...more }, claims)
/** The payload with one claim spelt by hand: JSON.stringify cannot write every number. */
const spelt = (name, value) => jwt(header, JSON.stringify({ ...claims, [name]: '@' }).replace('"@"', value))
const nested = (depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`

accept('a good token', good)
accept('signed by a key under the name Ed25519', jwt({ ...header, alg: 'Ed25519', kid: 'k2' }, claims, (i) => signEd(i, privateKeys.second)))
accept('typ in other case', withHeader({ typ: 'AT+JWT' }))
accept('typ with application/', withHeader({ typ: 'application/at+jwt' }))
accept('aud as an array of one', withClaims({ aud: ['web'] }))
accept('roles, version, scope', withClaims({ roles: ['admin', 'editor'], cv: 7, scope: 'a b' }), { roles: ['admin', 'editor'], cv: 7, scope: 'a b' })
accept('nbf in the past', withClaims({ nbf: now - 60 }), { nbf: now - 60 })
accept('nbf and iat within the leeway', withClaims({ nbf: now + 30, iat: now + 30 }), { nbf: now + 30, iat: now + 30 })
accept('the last second', withClaims({ exp: now + 1 }), { exp: now + 1 })
accept('the longest life', withClaims({ exp: now + 240, iat: now - 660 }), { exp: now + 240, iat: now - 660 })
accept('fractions of seconds are cut', spelt('exp', `${now + 240}.9`), { exp: now + 240 })
accept('a time with an exponent', spelt('auth_time', '1.5e9'), { auth_time: 1500000000 })
accept('unknown claims are let be', withClaims({ custom: { deep: [[[[[1]]]]] }, nonce: null }))
accept('an escaped name is the same name', jwt(header, JSON.stringify(claims).replace('"sub"', '"\\u0073ub"')))
accept('white space within the JSON', jwt(JSON.stringify(header, null, 2), JSON.stringify(claims, null, '\t')))
accept('a surrogate pair', jwt(header, JSON.stringify({ ...claims, client_id: '@' }).replace('"@"', '"\\ud83d\\ude00"')), { client_id: '\u{1f600}' })

// ECDSA signatures differ every time they are made, so this one is kept as it was made, by the key of RFC 7515 A.3.
const ES256 = 'KsxH3XXmJJaURiulMyD2Ky1bkmiZ2wEFMCJifPJv5jfnbcx-QAA94k2bElsL5-dPzffRgdNSmH9qKrfPaI7MSg'
const es256Header = { alg: 'ES256', kid: 'k3', typ: 'at+jwt' }
const es256 = (signature) => jwt(es256Header, claims, () => signature)
const [r, s] = [Buffer.from(ES256, 'base64url').subarray(0, 32), Buffer.from(ES256, 'base64url').subarray(32)]
const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
const scalar = (n) => Buffer.from(n.toString(16).padStart(64, '0'), 'hex')
const number = (bytes) => BigInt(`0x${bytes.toString('hex')}`)
const der = (n) => (n[0] > 0x7f ? Buffer.concat([Buffer.from([2, 33, 0]), n]) : Buffer.concat([Buffer.from([2, 32]), n]))
const derPair = Buffer.concat([der(r), der(s)])
accept('ES256', es256(Buffer.concat([r, s])))
// ATK-06: a second signature of the same message, by design of ECDSA: nothing may be keyed by a signature.
accept('ES256 with the other s', es256(Buffer.concat([r, scalar(ORDER - number(s))])))
for (const [what, signature] of Object.entries({
  'of zeros': Buffer.alloc(64),
  'with r = 0': Buffer.concat([Buffer.alloc(32), s]),
  'with s = 0': Buffer.concat([r, Buffer.alloc(32)]),
  'with r = n': Buffer.concat([scalar(ORDER), s]),
  'with s = n': Buffer.concat([r, scalar(ORDER)]),
  'with r = s = n': Buffer.concat([scalar(ORDER), scalar(ORDER)]),
  'of 63 bytes': Buffer.concat([r, s]).subarray(1),
  'of 65 bytes': Buffer.concat([r, s, Buffer.alloc(1)]),
  'in DER': Buffer.concat([Buffer.from([0x30, derPair.length]), derPair]),
})) refuse('bad_signature', 'ATK-05', `an ES256 signature ${what}`, es256(signature))
refuse('wrong_algorithm', 'ATK-02', 'EdDSA with the key for ES256', jwt({ ...header, kid: 'k3' }, claims))
refuse('wrong_algorithm', 'ATK-02', 'ES256 with the key for EdDSA', jwt({ ...es256Header, kid: 'k1' }, claims, () => Buffer.concat([r, s])))
for (const hex of smallOrder) {
  refuse('bad_signature', 'ATK-07', `R of small order: ${hex}`, jwt(header, claims, (i) => Buffer.concat([Buffer.from(hex, 'hex'), signEd(i).subarray(32)])))
}

for (const alg of ['none', 'None', 'NONE', 'nOnE', 'none ', '', 'eddsa', 'ES256', 'RS256', 'Ed25519', 'Ed448']) {
  refuse('wrong_algorithm', 'ATK-01', `alg ${JSON.stringify(alg)}, otherwise good`, withHeader({ alg }))
}
refuse('malformed', 'ATK-01', 'alg none with an empty signature', `${b64(text({ ...header, alg: 'none' }))}.${goodPayload}.`)
refuse('malformed', 'ATK-01', 'alg none with no signature', `${b64(text({ ...header, alg: 'none' }))}.${goodPayload}`)
refuse('header_not_allowed', 'ATK-01', 'alg null', withHeader({ alg: null }))
refuse('header_not_allowed', 'ATK-01', 'alg a number', withHeader({ alg: 0 }))
refuse('header_not_allowed', 'ATK-01', 'alg an array', withHeader({ alg: ['EdDSA'] }))
refuse('header_not_allowed', 'ATK-01', 'alg missing', jwt({ kid: 'k1', typ: 'at+jwt' }, claims))
for (const [what, secret] of Object.entries({
  'the raw public key': Buffer.from(publicX(privateKeys.rfc8037), 'base64url'),
  'the text of x': publicX(privateKeys.rfc8037),
  'the PEM': publicPem(privateKeys.rfc8037),
  'the DER': publicDer(privateKeys.rfc8037),
  'the JWK': JSON.stringify(jwks.keys[0]),
  'nothing': '',
})) {
  refuse('wrong_algorithm', 'ATK-02', `HS256 keyed with ${what}`, jwt({ ...header, alg: 'HS256' }, claims, (i) => signHmac(i, secret)))
}
refuse('wrong_algorithm', 'ATK-02', 'the other name of the same algorithm', jwt({ ...header, kid: 'k2' }, claims, (i) => signEd(i, privateKeys.second)))
refuse('malformed', 'ATK-03', 'an empty signature', `${goodHeader}.${goodPayload}.`)
refuse('bad_signature', 'ATK-03', 'a short signature', jwt(header, claims, (i) => signEd(i).subarray(0, 63)))
refuse('bad_signature', 'ATK-03', 'a long signature', jwt(header, claims, (i) => Buffer.concat([signEd(i), Buffer.alloc(1)])))
refuse('bad_signature', 'ATK-05', 'a signature of zeros', jwt(header, claims, () => Buffer.alloc(64)))
refuse('bad_signature', 'ATK-07', 'S not reduced', jwt(header, claims, (i) => addOrder(signEd(i))))
refuse('bad_signature', undefined, 'the key of a stranger', jwt(header, claims, (i) => signEd(i, privateKeys.stranger)))
refuse('bad_signature', 'ATK-11', 'another key of the set', jwt(header, claims, (i) => signEd(i, privateKeys.second)))
refuse('bad_signature', undefined, 'another payload under the signature', `${goodHeader}.${b64(text({ ...claims, sub: id(9) }))}.${goodSignature}`)
refuse('bad_signature', undefined, 'a payload that is no JSON, unsigned', `${goodHeader}.${b64('{')}.${goodSignature}`)

for (const [name, value] of Object.entries({
  jwk: jwks.keys[0], jku: 'https://evil.example/jwks.json', x5u: 'https://evil.example/c', x5c: ['MII'], x5t: 'a',
})) {
  refuse('header_not_allowed', name.startsWith('j') ? 'ATK-08' : 'ATK-09', `${name} in the header`, withHeader({ [name]: value }))
}
for (const crit of [['exp'], [], ['b64'], ['alg'], ['x', 'x'], 'exp']) {
  refuse('header_not_allowed', 'ATK-12', `crit ${JSON.stringify(crit)}`, withHeader({ crit }))
}
refuse('header_not_allowed', 'ATK-12', 'b64 false', withHeader({ b64: false }))
refuse('header_not_allowed', 'ATK-12', 'zip', withHeader({ zip: 'DEF' }))
refuse('header_not_allowed', undefined, 'cty', withHeader({ cty: 'JWT' }))

for (const kid of ['../../dev/null', "' UNION SELECT 'k1'--", '|sleep 10', '*)(uid=*', 'k1\u0000', 'k1 ', '', 'k'.repeat(65)]) {
  refuse('unknown_key', 'ATK-10', `kid ${JSON.stringify(kid.length > 40 ? '65 characters' : kid)}`, withHeader({ kid }))
}
refuse('unknown_key', 'ATK-10', 'a kid that does not exist', withHeader({ kid: 'K1' }))
refuse('unknown_key', 'ATK-10', 'kid __proto__', withHeader({ kid: '__proto__' }))
refuse('header_not_allowed', 'ATK-10', 'kid a number', withHeader({ kid: 1 }))
refuse('header_not_allowed', 'ATK-10', 'kid an object', withHeader({ kid: {} }))
refuse('header_not_allowed', 'ATK-10', 'kid missing', jwt({ alg: 'EdDSA', typ: 'at+jwt' }, claims))
for (const kid of ['for-encryption', 'cannot-verify', 'no-algorithm', 'other-kind']) {
  refuse('unknown_key', 'ATK-29', `a key that may not verify here: ${kid}`, withHeader({ kid }))
}
refuse('unknown_key', undefined, 'a bad kid counts before a wrong typ', withHeader({ kid: '/', typ: 'JWT' }))
refuse('wrong_type', undefined, 'a wrong typ counts before an unknown kid', withHeader({ kid: 'k9', typ: 'JWT' }))

for (const typ of ['JWT', 'at+jwt ', 'application/at+jwt;x=1', 'at-jwt', 'dpop+jwt', 'secevent+jwt', 'logout+jwt', '']) {
  refuse('wrong_type', typ.includes('+jwt') && !typ.includes('at+') ? 'ATK-23' : 'ATK-24', `typ ${JSON.stringify(typ)}`, withHeader({ typ }))
}
refuse('header_not_allowed', 'ATK-24', 'typ missing', jwt({ alg: 'EdDSA', kid: 'k1' }, claims))
refuse('header_not_allowed', 'ATK-24', 'typ an array', withHeader({ typ: ['at+jwt'] }))

refuse('malformed', 'ATK-13', 'alg twice', jwt('{"alg":"EdDSA","alg":"none","kid":"k1","typ":"at+jwt"}', claims))
refuse('malformed', 'ATK-13', 'alg twice, once escaped', jwt('{"alg":"EdDSA","\\u0061lg":"none","kid":"k1","typ":"at+jwt"}', claims))
const twice = (more) => jwt(header, `${JSON.stringify(claims).slice(0, -1)},${more}}`)
refuse('malformed', 'ATK-13', 'sub twice', twice(`"sub":"${id(9)}"`))
refuse('malformed', 'ATK-13', 'sub twice, once escaped', twice(`"\\u0073ub":"${id(9)}"`))
refuse('malformed', 'ATK-13', 'an unknown claim twice', twice('"a":1,"a":2'))
refuse('malformed', 'ATK-13', 'twice within an object', twice('"a":{"b":1,"b":2}'))
refuse('malformed', 'ATK-13', 'twice within an array', twice('"a":[[{"b":1,"\\u0062":2}]]'))
for (const name of ['EXP', 'exp ', '\u0435\u0445\u0440']) {
  refuse('bad_claim', 'ATK-14', `${JSON.stringify(name)} instead of exp`, jwt(header, { ...without('exp'), [name]: now + 240 }))
}

refuse('malformed', 'ATK-15', 'a raw NUL', jwt(header, JSON.stringify({ ...claims, client_id: '@' }).replace('@', '\u0000')))
refuse('bad_claim', 'ATK-15', 'NUL in sub', withClaims({ sub: `${id(1).slice(0, -1)}\u0000` }))
refuse('wrong_audience', 'ATK-15', 'NUL after aud', withClaims({ aud: 'web\u0000' }))
refuse('malformed', 'ATK-15', 'BOM before the header', jwt(`\ufeff${JSON.stringify(header)}`, claims))
refuse('malformed', 'ATK-15', 'BOM before the payload', jwt(header, `\ufeff${JSON.stringify(claims)}`))
refuse('malformed', 'ATK-15', 'UTF-16', jwt(header, Buffer.from(JSON.stringify(claims), 'utf16le')))
const bytes = (...inside) => Buffer.concat([Buffer.from('{"x":"'), Buffer.from(inside), Buffer.from(`",${JSON.stringify(claims).slice(1)}`)])
refuse('malformed', 'ATK-15', 'invalid UTF-8', jwt(header, bytes(0xff)))
refuse('malformed', 'ATK-15', 'overlong UTF-8', jwt(header, bytes(0xc0, 0xaf)))
refuse('malformed', 'ATK-15', 'a surrogate in UTF-8', jwt(header, bytes(0xed, 0xa0, 0x80)))
refuse('malformed', 'ATK-15', 'a lone high surrogate', twice('"x":"\\ud800"'))
refuse('malformed', 'ATK-15', 'a lone low surrogate', twice('"x":"\\udc00"'))
refuse('malformed', 'ATK-15', 'a surrogate pair the wrong way round', twice('"x":"\\udc00\\ud800"'))
refuse('wrong_issuer', 'ATK-16', 'a homoglyph in iss', withClaims({ iss: 'https://\u0430pp.example.com' }))
refuse('wrong_audience', 'ATK-16', 'zero width in aud', withClaims({ aud: 'we\u200bb' }))
refuse('malformed', 'ATK-17', 'padding', `${good}=`)
refuse('malformed', 'ATK-17', 'the standard alphabet', jwt(header, claims).replaceAll('_', '/').replaceAll('-', '+'))
for (const [what, space] of Object.entries({ space: ' ', newline: '\n', CRLF: '\r\n', tab: '\t', 'no-break space': '\u00a0' })) {
  refuse('malformed', 'ATK-17', `a trailing ${what}`, `${good}${space}`)
}
refuse('malformed', 'ATK-17', 'white space within', `${good.slice(0, 9)} ${good.slice(9)}`)
refuse('malformed', 'ATK-17', 'unused bits in the signature', `${goodHeader}.${goodPayload}.${trailing(goodSignature)}`)
refuse('malformed', 'ATK-17', 'unused bits in a signed payload', resign(goodHeader, padTo(1, trailing)))
refuse('malformed', 'ATK-17', 'a signed payload of impossible length', resign(goodHeader, `${padTo(0)}A`))
refuse('malformed', 'ATK-17', 'a signed header of impossible length', resign(`${b64(JSON.stringify(header).padEnd(48))}A`, goodPayload))
refuse('malformed', 'ATK-17', 'percent encoding', good.replaceAll('.', '%2E'))

refuse('malformed', 'ATK-18', 'nothing', '')
for (const shape of ['.', '..', '...', 'a', 'a.b', 'a.b.c.d', `.${good}`, `${good}.`, `${goodHeader}..${goodSignature}`, `..${goodSignature}`]) {
  refuse('malformed', 'ATK-18', `shape ${shape.length > 9 ? shape.replace(goodHeader, 'h').replace(goodPayload, 'p').replace(goodSignature, 's') : shape}`, shape)
}
refuse('malformed', 'ATK-18', 'JSON serialisation', JSON.stringify({ protected: goodHeader, payload: goodPayload, signature: goodSignature }))
refuse('malformed', 'ATK-18', 'Bearer within the value', `Bearer ${good}`)
refuse('malformed', 'ATK-19', 'five parts', `${good}.a.b`)
refuse('header_not_allowed', undefined, 'a header that is an array', jwt(['EdDSA', 'k1', 'at+jwt'], claims))
refuse('header_not_allowed', undefined, 'a header that is a string', jwt('"at+jwt"', claims))
refuse('malformed', undefined, 'two values in the header', jwt(`${JSON.stringify(header)}{}`, claims))
refuse('bad_claim', undefined, 'a payload that is an array', jwt(header, [claims]))
refuse('malformed', undefined, 'a payload that is no JSON', jwt(header, '{'))
refuse('malformed', undefined, 'a comma too many', jwt(header, `${JSON.stringify(claims).slice(0, -1)},}`))
refuse('malformed', undefined, 'single quotes', jwt(header, JSON.stringify(claims).replaceAll('"', "'")))

accept('just within the size', exactly(4096))
refuse('too_large', 'ATK-21', 'one byte over the size', `${exactly(4096)}A`)
refuse('too_large', 'ATK-21', 'far over the size, and no token', '.'.repeat(10000))
refuse('too_large', 'ATK-21', 'over the size in bytes only', '\u00e9'.repeat(2049))
accept('nesting of eight', twice(`"x":${nested(7)}`))
refuse('malformed', 'ATK-21', 'nesting of nine', twice(`"x":${nested(8)}`))
refuse('malformed', 'ATK-21', 'nesting of nine in the header', jwt(`${JSON.stringify(header).slice(0, -1)},"x":${nested(8)}}`, claims))
refuse('malformed', 'ATK-21', 'nesting of a thousand', twice(`"x":${nested(1000)}`))
refuse('header_not_allowed', 'ATK-21', 'nesting of eight in the header', jwt(`${JSON.stringify(header).slice(0, -1)},"x":${nested(7)}}`, claims))

for (const name of Object.keys(claims)) refuse('bad_claim', 'ATK-22', `${name} missing`, jwt(header, without(name)))
for (const name of ['exp', 'iat', 'nbf', 'auth_time']) {
  refuse('bad_claim', 'ATK-22', `${name} a string`, withClaims({ [name]: `${now}` }))
  refuse('bad_claim', 'ATK-22', `${name} null`, withClaims({ [name]: null }))
}
refuse('bad_claim', 'ATK-22', 'exp true', withClaims({ exp: true }))
refuse('bad_claim', 'ATK-22', 'exp an array', withClaims({ exp: [now + 240] }))
refuse('bad_claim', 'ATK-22', 'iat negative', withClaims({ iat: -1 }))
refuse('bad_claim', 'ATK-22', 'exp negative', withClaims({ exp: -1 }))
refuse('bad_claim', 'ATK-22', 'exp before iat', withClaims({ exp: now - 61 }))
refuse('bad_claim', 'ATK-22', 'exp at iat', withClaims({ exp: now - 60 }))
refuse('malformed', 'ATK-22', 'exp 1e400', spelt('exp', '1e400'))
refuse('malformed', 'ATK-22', 'exp NaN', spelt('exp', 'NaN'))
refuse('malformed', 'ATK-22', 'exp with a leading zero', spelt('exp', `0${now + 240}`))
refuse('malformed', 'ATK-22', 'exp hexadecimal', spelt('exp', '0x6b0123'))
refuse('malformed', 'ATK-22', 'exp with a plus', spelt('exp', `+${now + 240}`))
refuse('bad_claim', 'ATK-22', 'exp 1e300', spelt('exp', '1e300'))
refuse('bad_claim', 'ATK-22', 'exp 2^63', spelt('exp', '9223372036854775808'))
refuse('bad_claim', 'ATK-22', 'exp 2^64', spelt('exp', '18446744073709551616'))
refuse('lives_too_long', 'ATK-22', 'exp 2^63 - 1', spelt('exp', '9223372036854775807'))
refuse('lives_too_long', 'ATK-22', 'exp in milliseconds', withClaims({ exp: (now + 240) * 1000 }))
refuse('lives_too_long', 'ATK-22', 'a second over the longest life', withClaims({ exp: now + 240, iat: now - 661 }))
refuse('not_yet_valid', 'ATK-22', 'iat beyond the leeway', withClaims({ iat: now + 31 }))
refuse('not_yet_valid', 'ATK-22', 'nbf beyond the leeway', withClaims({ nbf: now + 31 }))
refuse('expired', 'ATK-22', 'exp now', withClaims({ exp: now }))
refuse('expired', 'ATK-22', 'exp a second ago', withClaims({ exp: now - 1 }))
refuse('expired', 'ATK-22', 'exp in this second, by a fraction', spelt('exp', `${now}.999`))
refuse('bad_claim', 'ATK-22', 'cv negative', withClaims({ cv: -1 }))
refuse('bad_claim', 'ATK-22', 'cv 2^32', withClaims({ cv: 2 ** 32 }))
refuse('bad_claim', 'ATK-22', 'cv a fraction', spelt('cv', '1.0'))

refuse('bad_claim', 'ATK-23', 'a security event', withClaims({ events: {} }))
// What is bound to a key is refused to whoever does not prove to hold it (DPOP-7b), and any other binding to everybody (CNF-3).
const jkt = b64(Buffer.alloc(32, 4))
refuse('proof_required', 'ATK-23', 'bound to a key, and no proof', withClaims({ cnf: { jkt } }))
for (const [what, cnf] of Object.entries({
  'a short thumbprint': { jkt: id(4) }, 'a long thumbprint': { jkt: b64(Buffer.alloc(33, 4)) }, 'an empty thumbprint': { jkt: '' },
  'a thumbprint with padding': { jkt: `${jkt}=` }, 'a thumbprint with unused bits': { jkt: trailing(jkt) },
  'a thumbprint in another alphabet': { jkt: Buffer.alloc(32, 0xff).toString('base64').slice(0, -1) },
  'a thumbprint that is null': { jkt: null }, 'a thumbprint that is a number': { jkt: 4 }, 'two thumbprints': { jkt: [jkt, jkt] },
  'nothing': {}, 'a certificate': { 'x5t#S256': jkt }, 'a key and a certificate': { jkt, 'x5t#S256': jkt }, 'a key by its name': { kid: 'k1' },
  'a whole key': { jwk: jwks.keys[0] }, 'a key and something else': { jkt, more: null }, 'a key in other case': { JKT: jkt },
  'a text': jkt, 'an array': [jkt], 'null': null, 'false': false,
})) refuse('bad_claim', 'ATK-23', `bound to ${what}`, withClaims({ cnf }))
refuse('malformed', 'ATK-23', 'bound to one key, then to another', twice(`"cnf":{"jkt":"${jkt}","jkt":"${jkt}"}`))
refuse('malformed', 'ATK-23', 'bound twice', twice(`"cnf":{"jkt":"${jkt}"},"cnf":{"jkt":"${jkt}"}`))
refuse('wrong_audience', 'ATK-23', 'bound to a key, and for somebody else', withClaims({ aud: 'api', cnf: { jkt } }))
refuse('expired', 'ATK-23', 'bound to a key, and expired', withClaims({ exp: now, cnf: { jkt } }))
refuse('bad_claim', 'ATK-25', 'aud with ours and another', withClaims({ aud: ['web', 'api'] }))
refuse('bad_claim', 'ATK-25', 'aud with ours twice', withClaims({ aud: ['web', 'web'] }))
refuse('bad_claim', 'ATK-25', 'aud []', withClaims({ aud: [] }))
refuse('bad_claim', 'ATK-25', 'aud [1]', withClaims({ aud: [1] }))
refuse('bad_claim', 'ATK-25', 'aud an object', withClaims({ aud: { web: true } }))
for (const aud of ['WEB', 'web/', ' web', 'we', 'webs', '', 'web api']) {
  refuse('wrong_audience', 'ATK-25', `aud ${JSON.stringify(aud)}`, withClaims({ aud }))
}
for (const iss of [`${issuer}/`, 'http://app.example.com', `${issuer}:443`, 'https://APP.example.com', 'https://app.example.com.evil.example', '']) {
  refuse('wrong_issuer', 'ATK-26', `iss ${JSON.stringify(iss)}`, withClaims({ iss }))
}
refuse('bad_claim', 'ATK-26', 'iss an array', withClaims({ iss: [issuer] }))
for (const sub of [1, ['a'], {}, '', 'alice', id(1) + 'A', id(1).slice(1), `${id(1).slice(0, -1)}R`, `${id(1).slice(0, -1)}=`]) {
  refuse('bad_claim', 'ATK-26', `sub ${JSON.stringify(sub)}`, withClaims({ sub }))
}
refuse('bad_claim', 'ATK-26', 'sid no id', withClaims({ sid: 'session' }))
refuse('bad_claim', 'ATK-26', 'jti no id', withClaims({ jti: 'token' }))
refuse('bad_claim', 'ATK-27', 'scope an array', withClaims({ scope: ['admin'] }))
refuse('bad_claim', 'ATK-27', 'roles a string', withClaims({ roles: 'admin' }))
refuse('bad_claim', 'ATK-27', 'roles null', withClaims({ roles: null }))
refuse('bad_claim', 'ATK-27', 'amr with a number', withClaims({ amr: ['pwd', 1] }))

export { cases as tokens }

/** Signs two parts as they stand. */
function resign(headerPart, payloadPart) {
  const input = `${headerPart}.${payloadPart}`
  return `${input}.${b64(signEd(input))}`
}

/** The payload's part, its length in bytes brought to `rest` modulo 3 by white space. */
function padTo(rest, change = (part) => part) {
  let json = JSON.stringify(claims)
  while (json.length % 3 !== rest) json += ' '
  return change(b64(json))
}

/** A good token of exactly this length. White space in the header reaches the lengths that base64 leaves out. */
function exactly(length) {
  for (const space of ['', ' ', '  ']) {
    for (let pad = Math.floor((length - good.length) * 3 / 4) - 9; ; pad += 1) {
      const token = jwt(JSON.stringify(header) + space, JSON.stringify(claims) + ' '.repeat(pad))
      if (token.length === length) return token
      if (token.length > length) break
    }
  }
  throw new Error('no token has that length')
}
