// PASETO v4.public, of vectors/guard/verify.json and vectors/attacks/atk-38.json.

import { smallOrder } from './requests.mjs'
import { b64, jwks, paserk, privateKeys, signEd, signHmac } from './keys.mjs'
import { addOrder, claims, collection, header, id, issuer, jwt, now, text, trailing, without } from './mint.mjs'

const PUBLIC = 'v4.public.'
/** A time as PASETO claims have it. */
const at = (seconds) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
const dated = (more) => ({ ...claims, exp: at(claims.exp), iat: at(claims.iat), auth_time: at(claims.auth_time), ...more })
const footer = { kid: paserk.rfc8037 }

/** Each piece behind its length (paseto-standard, "Pre-Authentication Encoding"). */
function pae(...pieces) {
  const length = (of) => { const bytes = Buffer.alloc(8); bytes.writeBigUInt64LE(BigInt(of)); return bytes }
  const all = pieces.map((piece) => Buffer.from(text(piece)))
  return Buffer.concat([length(all.length), ...all.flatMap((piece) => [length(piece.length), piece])])
}
const put = (message, signature, f) => `${PUBLIC}${b64(Buffer.concat([Buffer.from(text(message)), signature]))}.${b64(text(f))}`
/** A token of these claims and footer, signed as they stand. */
export function paseto(message, f = footer, signature = (input) => signEd(input)) {
  return put(message, signature(pae(PUBLIC, text(message), text(f), '')), f)
}
export const withDated = (more) => paseto(dated(more))
const withFooter = (f) => paseto(dated(), f)
const message = text(dated())
const good = paseto(message)
const [, , goodPayload, goodFooter] = good.split('.')
const goodSignature = Buffer.from(goodPayload, 'base64url').subarray(-64)

const { cases, accept, refuse: refuseAs } = collection()
const refuse = (reason, name, token) => refuseAs(reason, 'ATK-38', `PASETO: ${name}`, token)
const twice = (more) => paseto(`${message.slice(0, -1)},${more}}`)
const nested = (depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`

accept('a good PASETO', good)
accept('PASETO: a key that JWT calls Ed25519', paseto(message, { kid: paserk.second }, (i) => signEd(i, privateKeys.second)))
accept('PASETO: aud as an array of one', withDated({ aud: ['web'] }))
accept('PASETO: roles, version, scope', withDated({ roles: ['admin'], cv: 7, scope: 'a b' }), { roles: ['admin'], cv: 7, scope: 'a b' })
accept('PASETO: nbf in the past', withDated({ nbf: at(now - 60) }), { nbf: now - 60 })
accept('PASETO: nbf and iat within the leeway', withDated({ nbf: at(now + 30), iat: at(now + 30) }), { nbf: now + 30, iat: now + 30 })
accept('PASETO: the last second', withDated({ exp: at(now + 1) }), { exp: now + 1 })
accept('PASETO: the longest life', withDated({ iat: at(now - 660) }), { iat: now - 660 })
accept('PASETO: a 29th of February', withDated({ auth_time: '2024-02-29T23:59:59Z' }), { auth_time: 1709251199 })
accept('PASETO: the year 0', withDated({ auth_time: '0000-01-01T00:00:00Z' }), { auth_time: -62167219200 })
accept('PASETO: the year 9999', withDated({ auth_time: '9999-12-31T23:59:59Z' }), { auth_time: 253402300799 })
accept('PASETO: unknown claims are let be', withDated({ custom: { deep: [[1]] }, updated_at: now }))
accept('PASETO: escaped names and times are the same', paseto(message.replace('"sub"', '"\\u0073ub"').replace('Z"', '\\u005a"')))
accept('PASETO: white space within the JSON', paseto(JSON.stringify(dated(), null, '\t'), JSON.stringify(footer, null, 1)))
accept('PASETO: just within the size', exactly(4096))

for (const wrong of ['v4.local.', 'v4.secret.', 'v3.public.', 'v2.public.', 'v1.public.', 'v4.PUBLIC.', 'V4.public.', 'v5.public.', 'v4.public', 'v4.', '']) {
  refuse('malformed', `the header ${JSON.stringify(wrong)}`, wrong + good.slice(PUBLIC.length))
}
for (const wrong of ['v4.local.', 'v3.public.', 'v2.public.', 'v4.public', '']) {
  const signed = signEd(pae(wrong, message, text(footer), ''))
  refuse('bad_signature', `signed under the header ${JSON.stringify(wrong)}`, put(message, signed, footer))
}
refuse('malformed', 'v2.public, signed as such', put(message, signEd(pae('v2.public.', message, text(footer))), footer).replace('v4', 'v2'))
refuse('malformed', 'white space before it', ` ${good}`)
refuse('malformed', 'white space behind it', `${good} `)
refuse('malformed', 'a newline behind it', `${good}\n`)
refuse('malformed', 'padding', `${PUBLIC}${goodPayload}=.${goodFooter}`)
refuse('malformed', 'padding behind the footer', `${good}=`)
refuse('malformed', 'percent encoding', good.replaceAll('.', '%2E'))
refuse('malformed', 'the standard alphabet', standard())
refuse('malformed', 'unused bits in the payload', `${PUBLIC}${trailing(padTo(1))}.${goodFooter}`)
refuse('malformed', 'unused bits in the footer', `${PUBLIC}${goodPayload}.${trailing(goodFooter)}`)
refuse('malformed', 'a payload of impossible length', `${PUBLIC}${padTo(0)}A.${goodFooter}`)
refuse('malformed', 'a footer of impossible length', `${PUBLIC}${goodPayload}.AAAAA`)
refuse('malformed', 'nothing behind the header', PUBLIC)
refuse('malformed', 'no footer', `${PUBLIC}${goodPayload}`)
refuse('malformed', 'no footer, signed as such', paseto(message, '').slice(0, -1))
refuse('malformed', 'an empty footer', `${PUBLIC}${goodPayload}.`)
refuse('malformed', 'an empty payload', `${PUBLIC}.${goodFooter}`)
refuse('malformed', 'three parts behind the header', `${good}.${goodFooter}`)
refuse('malformed', 'three parts behind the header, one empty', `${good}.`)
refuse('malformed', 'a signature of nothing', paseto(''))
refuse('malformed', 'half a signature', `${PUBLIC}${b64(goodSignature.subarray(32))}.${goodFooter}`)
refuse('malformed', 'the header twice', PUBLIC + good)
refuse('too_large', 'one byte over the size', `${exactly(4096)}A`)
refuse('too_large', 'far over the size', `${PUBLIC}${'.'.repeat(10000)}`)

const others = { kid: paserk.second }
refuse('bad_signature', "another key's footer", `${PUBLIC}${goodPayload}.${b64(text(others))}`)
refuse('bad_signature', 'a footer spelt otherwise', `${PUBLIC}${goodPayload}.${b64(` ${text(footer)}`)}`)
refuse('bad_signature', 'a footer put to a message signed without', put(message, signEd(pae(PUBLIC, message, '', '')), footer))
refuse('bad_signature', 'the footer signed as implicit assertion', put(message, signEd(pae(PUBLIC, message, '', text(footer))), footer))
refuse('bad_signature', 'signed with an implicit assertion', put(message, signEd(pae(PUBLIC, message, text(footer), 'web')), footer))
refuse('bad_signature', 'signed without the place for one', put(message, signEd(pae(PUBLIC, message, text(footer))), footer))
refuse('bad_signature', 'signed with the footer before the message', put(message, signEd(pae(PUBLIC, text(footer), message, '')), footer))
refuse('bad_signature', 'signed without lengths', put(message, signEd(PUBLIC + message + text(footer)), footer))
refuse('bad_signature', 'signed with other lengths', put(`${message} `, signEd(pae(PUBLIC, message, ` ${text(footer)}`, '')), footer))
refuse('bad_signature', 'the message signed by itself', put(message, signEd(message), footer))
refuse('bad_signature', 'another message under the signature', put(text(dated({ sub: id(9) })), goodSignature, footer))
refuse('bad_signature', 'the signature before the message', `${PUBLIC}${b64(Buffer.concat([goodSignature, Buffer.from(message)]))}.${goodFooter}`)
refuse('bad_signature', 'the key of a stranger', paseto(message, footer, (i) => signEd(i, privateKeys.stranger)))
refuse('bad_signature', 'another key of the set', paseto(message, footer, (i) => signEd(i, privateKeys.second)))
refuse('bad_signature', 'HMAC with the public key', paseto(message, footer, (i) => Buffer.concat([signHmac(i, jwks.keys[0].x), signHmac(i, jwks.keys[0].x)])))
refuse('bad_signature', 'a signature of zeros', paseto(message, footer, () => Buffer.alloc(64)))
refuse('bad_signature', 'S not reduced', paseto(message, footer, (i) => addOrder(signEd(i))))
for (const hex of smallOrder) {
  refuse('bad_signature', `R of small order: ${hex}`, paseto(message, footer, (i) => Buffer.concat([Buffer.from(hex, 'hex'), signEd(i).subarray(32)])))
}
refuse('bad_signature', 'no JSON, unsigned', put('{', goodSignature, footer))

const bare = paserk.rfc8037.slice('k4.pid.'.length)
for (const kid of [
  `k4.pid.${'A'.repeat(44)}`, paserk.es256, 'k1', 'k3', '', bare, `k3.pid.${bare}`, `k4.lid.${bare}`, `k4.sid.${bare}`, `k4.public.${jwks.keys[0].x}`,
  paserk.rfc8037.slice(0, -1), `${paserk.rfc8037}A`, paserk.rfc8037.toUpperCase(), `${paserk.rfc8037}\n`, ` ${paserk.rfc8037}`, '../../dev/null', '__proto__',
]) refuse('unknown_key', `kid ${JSON.stringify(kid)}`, withFooter({ kid }))
for (const wrong of [
  {}, { kid: 1 }, { kid: null }, { kid: [paserk.rfc8037] }, { KID: paserk.rfc8037 }, [paserk.rfc8037], paserk.rfc8037, 1, null,
  { ...footer, wpk: 'k4.secret-wrap.pie.AAAA' }, { ...footer, alg: 'none' }, { ...footer, jku: 'https://evil.example/jwks.json' }, { ...footer, kid2: 'k1' },
]) refuse('header_not_allowed', `the footer ${JSON.stringify(wrong)}`, paseto(message, JSON.stringify(wrong)))
refuse('malformed', 'a footer that is the key id and no JSON', withFooter(paserk.rfc8037))
refuse('malformed', 'kid twice in the footer', withFooter(`{"kid":"${paserk.rfc8037}","kid":"${paserk.rfc8037}"}`))
refuse('malformed', 'kid twice in the footer, once escaped', withFooter(`{"kid":"${paserk.rfc8037}","\\u006bid":"k1"}`))
refuse('malformed', 'two values in the footer', withFooter(`${text(footer)}{}`))
refuse('malformed', 'BOM before the footer', withFooter(`\ufeff${text(footer)}`))
refuse('malformed', 'invalid UTF-8 in the footer', withFooter(Buffer.concat([Buffer.from('{"kid":"'), Buffer.from([0xff]), Buffer.from('"}')])))
refuse('malformed', 'nesting of nine in the footer', withFooter(`{"kid":${nested(8)}}`))

refuse('malformed', 'a JWT behind the header', PUBLIC + jwt(header, claims))
refuse('malformed', 'a JWT as the message', paseto(jwt(header, claims)))
refuse('bad_claim', 'a JWT as a text', paseto(JSON.stringify(jwt(header, claims))))
const [jwtHeader, jwtPayload, jwtSignature] = jwt(header, claims).split('.')
const bytes = (part) => Buffer.from(part, 'base64url')
refuse('bad_signature', 'the payload and signature of a JWT', put(bytes(jwtPayload), bytes(jwtSignature), footer))
refuse('bad_signature', 'what a JWT signs, with its signature', put(`${jwtHeader}.${jwtPayload}`, bytes(jwtSignature), footer))
refuse('bad_signature', 'a JWT with the signature of a PASETO', `${jwtHeader}.${b64(message)}.${b64(goodSignature)}`)
refuse('bad_signature', 'a JWT with the signature of a PASETO of its own bytes', jwt(header, claims, (i) => signEd(pae(PUBLIC, i, text(footer), ''))))
refuse('unknown_key', 'a JWT that names the key by its PASERK id', jwt({ ...header, kid: paserk.rfc8037 }, claims))
refuse('bad_claim', 'a JWT with the times of a PASETO', jwt(header, dated()))
refuse('bad_claim', 'the times of a JWT', paseto(claims))
for (const name of ['exp', 'iat', 'nbf', 'auth_time']) {
  refuse('bad_claim', `${name} a number`, withDated({ [name]: now }))
  refuse('bad_claim', `${name} a number in a text`, withDated({ [name]: `${now}` }))
  refuse('bad_claim', `${name} null`, withDated({ [name]: null }))
}
const [day, clock] = at(claims.exp).slice(0, -1).split('T')
for (const wrong of [
  `${day}t${clock}Z`, `${day}T${clock}z`, `${day} ${clock}Z`, `${day}T${clock}`, `${day}T${clock}+00:00`, `${day}T${clock}-00:00`, `${day}T${clock}+01:00`,
  `${day}T${clock}+0000`, `${day}T${clock}.0Z`, `${day}T${clock}.999Z`, `${day}T${clock},5Z`, `${day}T${clock}.Z`, `${day}T${clock.slice(0, 5)}Z`, `${day}Z`, day,
  `${day.replaceAll('-', '')}T${clock.replaceAll(':', '')}Z`, `${day}T${clock}ZZ`, `${day}T${clock}Z\n`, ` ${day}T${clock}Z`, `${day}T${clock} Z`,
  `+${day}T${clock}Z`, `-${day}T${clock}Z`, `+00${day}T${clock}Z`, `${day.slice(2)}T${clock}Z`, `1${day}T${clock}Z`, `${day}T${clock}\u0000Z`,
  `\uff12${day.slice(1)}T${clock}Z`, '2026-W47-6T12:00:00Z', '2026-325T12:00:00Z', 'Sat, 21 Nov 2026 12:00:00 GMT', '2026-02-30T12:00:00Z',
  '2027-02-29T12:00:00Z', '2100-02-29T12:00:00Z', '2026-11-31T12:00:00Z', '2026-00-21T12:00:00Z', '2026-13-21T12:00:00Z', '2026-11-00T12:00:00Z',
  '2026-11-32T12:00:00Z', '2026-11-21T24:00:00Z', '2026-11-21T25:00:00Z', '2026-11-21T12:60:00Z', '2026-11-21T12:00:60Z', '2026-12-31T23:59:60Z', '',
]) refuse('bad_claim', `exp ${JSON.stringify(wrong)}`, withDated({ exp: wrong }))
refuse('bad_claim', 'exp an array', withDated({ exp: [at(claims.exp)] }))
refuse('bad_claim', 'iat before the epoch', withDated({ iat: '1969-12-31T23:59:59Z' }))
refuse('bad_claim', 'exp at iat', withDated({ exp: at(claims.iat) }))
refuse('lives_too_long', 'exp in the year 9999', withDated({ exp: '9999-12-31T23:59:59Z' }))
refuse('lives_too_long', 'a second over the longest life', withDated({ iat: at(now - 661) }))
refuse('not_yet_valid', 'iat beyond the leeway', withDated({ iat: at(now + 31) }))
refuse('not_yet_valid', 'nbf beyond the leeway', withDated({ nbf: at(now + 31) }))
refuse('expired', 'exp now', withDated({ exp: at(now) }))

for (const name of Object.keys(claims)) refuse('bad_claim', `${name} missing`, paseto(without(name, dated())))
refuse('malformed', 'no JSON', paseto('{'))
refuse('malformed', 'sub twice', twice(`"sub":"${id(9)}"`))
refuse('malformed', 'exp twice, once escaped', twice(`"\\u0065xp":"${at(now + 300)}"`))
refuse('malformed', 'an unknown claim twice', twice('"a":1,"a":2'))
refuse('malformed', 'BOM before the message', paseto(`\ufeff${message}`))
refuse('malformed', 'nesting of nine', twice(`"x":${nested(8)}`))
refuse('bad_claim', 'an array', paseto([dated()]))
refuse('bad_claim', 'a security event', withDated({ events: {} }))
refuse('bad_claim', 'a claim that is private', withDated({ private: { email: 'a@example.com' } }))
refuse('wrong_issuer', 'another issuer', withDated({ iss: `${issuer}/` }))
refuse('wrong_audience', 'another audience', withDated({ aud: 'api' }))
refuse('bad_claim', 'two audiences', withDated({ aud: ['web', 'api'] }))

export { cases as pasetos }

/** A good one with the other alphabet's letters, of which it must have some. */
function standard() {
  const token = [...Array(64).keys()].map((n) => withDated({ custom: '?'.repeat(n) })).find((one) => /[-_]/.test(one.split('.')[2]))
  return token.replaceAll('_', '/').replaceAll('-', '+')
}

/** A signed payload whose length in bytes is `rest` modulo 3, by white space. */
function padTo(rest) {
  for (let json = message; ; json += ' ') {
    const payload = paseto(json).split('.')[2]
    if ((json.length + 64) % 3 === rest) return payload
  }
}

/** A good token of exactly this length. */
function exactly(length) {
  for (const space of ['', ' ', '  ']) {
    for (let pad = Math.floor((length - good.length) * 3 / 4) - 9; ; pad += 1) {
      const token = paseto(message + ' '.repeat(pad), text(footer) + space)
      if (token.length === length) return token
      if (token.length > length) break
    }
  }
  throw new Error('no token has that length')
}
