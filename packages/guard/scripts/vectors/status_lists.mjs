// Status lists, of vectors/guard/status_list.json; and of vectors/guard/verify.json and vectors/attacks/ the claim by which a token
// names its place in one.

import { stored, tooFar, withDictionary, zeros } from './deflate.mjs'
import { b64, jwks, privateKeys, signEd, signHmac } from './keys.mjs'
import { addOrder, claims, collection, header, id, issuer, jwt, now, text, trailing, withClaims } from './mint.mjs'
import { withDated } from './paseto.mjs'

const uri = `${issuer}/status-lists/7`
const listHeader = { ...header, typ: 'statuslist+jwt' }
const MOST = 4 * 2 ** 20
const TOKEN_MOST = 8 * 2 ** 20

/** Every status of `size`, packed with the least significant bits first. */
function packed(bits, size, statuses) {
  const bytes = Buffer.alloc(Math.ceil(size * bits / 8))
  for (const [index, status] of Object.entries(statuses)) {
    const at = Number(index) * bits
    bytes[Math.floor(at / 8)] |= status << (at % 8)
  }
  return bytes
}
const few = { 0: 1, 1: 0, 2: 0, 3: 1, 7: 1, 8: 0, 15: 1, 16: null, 4294967295: null }
const lst = b64(stored(packed(1, 16, { 0: 1, 3: 1, 7: 1, 15: 1 })))
const listClaims = { iss: issuer, sub: uri, iat: now - 60, exp: now + 3600, ttl: 300, status_list: { bits: 1, lst } }
const without = (name) => { const { [name]: _, ...rest } = listClaims; return rest }

const signed = (payload, more = {}, sign) => jwt({ ...listHeader, ...more }, payload, sign)
const withList = (more, extra = {}) => signed({ ...listClaims, ...extra, status_list: { ...listClaims.status_list, ...more } })
const withMore = (more) => signed({ ...listClaims, ...more })
const spelt = (name, value) => signed(JSON.stringify({ ...listClaims, [name]: '@' }).replace('"@"', value))
const good = withMore({})
const [goodHeader, goodPayload, goodSignature] = good.split('.')

const cases = []
const accept = (name, list, statuses = few, ttl = 300, until = now + 3600) => cases.push({ name, list, statuses, ttl, until })
const refuse = (refusal, name, list, more = {}) => cases.push({ name, ...more, list, refusal })

accept('one bit', good)
for (const [bits, statuses] of [
  [2, { 0: 1, 1: 2, 2: 3, 3: 0, 11: 3 }], [4, { 0: 15, 1: 3, 2: 0, 3: 8, 11: 1 }], [8, { 0: 255, 1: 0, 2: 128, 3: 7, 11: 12 }],
]) accept(`${bits} bits`, withList({ bits, lst: b64(stored(packed(bits, 12, statuses))) }), { ...statuses, 12: null })
accept('signed by a key under the name Ed25519', signed(listClaims, { alg: 'Ed25519', kid: 'k2' }, (i) => signEd(i, privateKeys.second)))
accept('typ in other case', signed(listClaims, { typ: 'StatusList+JWT' }))
accept('typ with application/', signed(listClaims, { typ: 'application/statuslist+jwt' }))
accept('unknown members are let be', withList({ aggregation_uri: 'https://app.example.com/all' }, { custom: [{ a: null }] }))
accept('a list of no bytes', withList({ lst: b64(stored(Buffer.alloc(0))) }), { 0: null })
accept('compressed, with fixed codes', withList({ lst: b64(zeros(1000)) }), { 0: 0, 7999: 0, 8000: null })
accept('compressed, with codes of its own', withList({ lst: 'eNrbuRgAAhcBXQ' }), { 0: 1, 1: 0, 2: 0, 3: 1, 14: 0, 15: 1, 16: null })
accept('as many bytes as there may be', withList({ lst: b64(zeros(MOST)) }), { 0: 0, [MOST * 8 - 1]: 0, [MOST * 8]: null })
accept('iat within the leeway', withMore({ iat: now + 30 }))
accept('the last second', withMore({ exp: now + 1 }), few, 300, now + 1)
accept('no exp: a day after iat', signed(without('exp')), few, 300, now - 60 + 86400)
accept('the last second without exp', signed({ ...without('exp'), iat: now + 1 - 86400 }), few, 300, now + 1)
accept('exp with a fraction', spelt('exp', `${now + 3600}.9`))
accept('no ttl', signed(without('ttl')))
accept('ttl of a second', withMore({ ttl: 1 }), few, 1)
accept('ttl with a fraction', withMore({ ttl: 12.9 }), few, 12)
accept('ttl of an hour', withMore({ ttl: 3600 }), few, 3600)
accept('ttl beyond an hour', withMore({ ttl: 3601 }), few, 3600)
accept('ttl of 30 years', withMore({ ttl: 10 ** 9 }), few, 3600)
accept('ttl 2^63 - 1', spelt('ttl', '9223372036854775807'), few, 3600)

for (const typ of ['JWT', 'at+jwt', 'application/at+jwt', 'statuslist+cwt', 'statuslist', 'statuslist+jwt ', 'application/statuslist+jwt;x=1', 'secevent+jwt', 'dpop+jwt', '', 'statusl\u0131st+jwt']) {
  refuse('wrong_type', `typ ${JSON.stringify(typ)}`, signed(listClaims, { typ }))
}
refuse('header_not_allowed', 'typ missing', jwt({ alg: 'EdDSA', kid: 'k1' }, listClaims))
refuse('wrong_type', 'an access token', withClaims({}))
refuse('wrong_type', 'a security event', jwt({ ...header, typ: 'secevent+jwt' }, { iss: issuer, iat: now, jti: id(3), aud: 'web', events: {} }))
refuse('bad_claim', 'the claims of an access token', jwt(listHeader, claims))
refuse('malformed', 'a PASETO', withDated({}))
for (const alg of ['none', 'None', '', 'HS256', 'ES256', 'Ed25519', 'eddsa']) refuse('wrong_algorithm', `alg ${JSON.stringify(alg)}`, signed(listClaims, { alg }))
refuse('wrong_algorithm', 'HS256 keyed with the public key', signed(listClaims, { alg: 'HS256' }, (i) => signHmac(i, Buffer.from(jwks.keys[0].x, 'base64url'))))
refuse('malformed', 'alg none with an empty signature', `${b64(text({ ...listHeader, alg: 'none' }))}.${goodPayload}.`)
refuse('unknown_key', 'a kid that does not exist', signed(listClaims, { kid: 'k9' }))
refuse('unknown_key', 'a key that may not verify', signed(listClaims, { kid: 'for-encryption' }))
refuse('header_not_allowed', 'kid missing', jwt({ alg: 'EdDSA', typ: 'statuslist+jwt' }, listClaims))
for (const [name, value] of Object.entries({ jwk: jwks.keys[0], jku: 'https://evil.example/jwks.json', crit: ['exp'], zip: 'DEF', x5c: ['MII'] })) {
  refuse('header_not_allowed', `${name} in the header`, signed(listClaims, { [name]: value }))
}
refuse('bad_signature', 'the key of a stranger', signed(listClaims, {}, (i) => signEd(i, privateKeys.stranger)))
refuse('bad_signature', 'another key of the set', signed(listClaims, {}, (i) => signEd(i, privateKeys.second)))
refuse('bad_signature', 'another payload under the signature', `${goodHeader}.${b64(text({ ...listClaims, iat: now }))}.${goodSignature}`)
refuse('bad_signature', 'a payload that is no JSON, unsigned', `${goodHeader}.${b64('{')}.${goodSignature}`)
refuse('bad_signature', 'S not reduced', signed(listClaims, {}, (i) => addOrder(signEd(i))))
refuse('bad_signature', 'a short signature', signed(listClaims, {}, (i) => signEd(i).subarray(1)))
refuse('malformed', 'nothing', '')
refuse('malformed', 'a trailing line', `${good}\n`)
refuse('malformed', 'a list as JSON', JSON.stringify(listClaims))
refuse('malformed', 'JSON serialisation', JSON.stringify({ protected: goodHeader, payload: goodPayload, signature: goodSignature }))
refuse('malformed', 'a payload that is no JSON', signed('{'))
refuse('malformed', 'iat twice', signed(JSON.stringify(listClaims).replace('"iat"', '"iat":1,"\\u0069at"')))
refuse('malformed', 'lst twice', signed(JSON.stringify(listClaims).replace('"lst"', '"lst":"","lst"')))
refuse('bad_claim', 'a payload that is an array', signed([listClaims]))

for (const iss of [`${issuer}/`, 'https://evil.example', '', 'https://APP.example.com']) refuse('wrong_issuer', `iss ${JSON.stringify(iss)}`, withMore({ iss }))
for (const sub of [`${issuer}/status-lists/8`, `${uri}/`, `${uri}?`, uri.slice(0, -1), '', 'https://APP.example.com/status-lists/7', `${uri}#7`]) {
  refuse('wrong_subject', `sub ${JSON.stringify(sub)}`, withMore({ sub }))
}
refuse('wrong_subject', 'asked for under another address', good, { uri: `${issuer}/status-lists/8` })
for (const name of ['iss', 'sub', 'iat', 'status_list']) refuse('bad_claim', `${name} missing`, signed(without(name)))
for (const name of ['iss', 'sub', 'iat', 'exp', 'ttl', 'status_list']) {
  for (const value of [null, true, [], ['a']]) refuse('bad_claim', `${name} ${JSON.stringify(value)}`, withMore({ [name]: value }))
}
for (const name of ['iat', 'exp', 'ttl']) {
  refuse('bad_claim', `${name} a string`, withMore({ [name]: `${listClaims[name]}` }))
  refuse('bad_claim', `${name} 1e300`, spelt(name, '1e300'))
  refuse('bad_claim', `${name} 2^63`, spelt(name, '9223372036854775808'))
}
refuse('not_yet_valid', 'iat beyond the leeway', withMore({ iat: now + 31 }))
refuse('bad_claim', 'iat negative', withMore({ iat: -1 }))
refuse('bad_claim', 'exp at iat', withMore({ exp: now - 60 }))
refuse('expired', 'exp now', withMore({ exp: now }))
refuse('expired', 'exp a second ago', withMore({ exp: now - 1 }))
refuse('expired', 'no exp, and a day old', signed({ ...without('exp'), iat: now - 86400 }))
refuse('bad_claim', 'ttl 0', withMore({ ttl: 0 }))
refuse('bad_claim', 'ttl half a second', withMore({ ttl: 0.5 }))
refuse('bad_claim', 'ttl negative', withMore({ ttl: -300 }))
refuse('bad_claim', 'ttl -0.5', withMore({ ttl: -0.5 }))

for (const bits of [0, 3, 5, 7, 16, -1, 1.5, '1', null, [1], 2 ** 40]) refuse('bad_claim', `bits ${JSON.stringify(bits)}`, withList({ bits }))
refuse('bad_claim', 'bits 1.0', signed(JSON.stringify(listClaims).replace('"bits":1', '"bits":1.0')))
refuse('bad_claim', 'bits -0', signed(JSON.stringify(listClaims).replace('"bits":1', '"bits":-0')))
refuse('bad_claim', 'bits missing', signed({ ...listClaims, status_list: { lst } }))
refuse('bad_claim', 'lst missing', signed({ ...listClaims, status_list: { bits: 1 } }))
const bytes = stored(packed(1, 16, { 0: 1 }))
const flipped = Buffer.from(bytes)
flipped[flipped.length - 1] ^= 1
for (const [what, value] of Object.entries({
  'null': null, 'a number': 1, 'an array': [1], 'empty': '', 'with padding': `${b64(bytes)}=`, 'of impossible length': `${b64(bytes)}A`,
  'in another alphabet': stored(Buffer.from([251, 255, 254])).toString('base64').replace(/=+$/, '+'), 'with unused bits': trailing(b64(Buffer.concat([bytes, Buffer.alloc((4 - bytes.length % 3) % 3)]))),
  'with a space': ` ${b64(bytes)}`, 'with a new line': `${b64(bytes)}\n`, 'no zlib': b64('this is no zlib stream'), 'bare DEFLATE': b64(bytes.subarray(2, -4)),
  'gzip': b64(Buffer.from('1f8b0800000000000003630000008def02d201000000', 'hex')), 'cut off': b64(bytes.subarray(0, -5)), 'without its check sum': b64(bytes.subarray(0, -4)),
  'cut off within its check sum': b64(bytes.subarray(0, -1)), 'with another check sum': b64(flipped), 'with a byte behind it': b64(Buffer.concat([bytes, Buffer.alloc(1)])),
  'twice': b64(Buffer.concat([bytes, bytes])), 'with another behind it': b64(Buffer.concat([bytes, stored(packed(1, 16, { 5: 1 }))])),
  'with a dictionary': b64(withDictionary(packed(1, 16, { 0: 1 }))), 'of two bytes': b64(bytes.subarray(0, 2)),
  'with an unknown kind of block': b64(Buffer.from([0x78, 0xda, 0x07, 0, 0, 0, 0, 1])), 'with a distance that is too far': b64(tooFar()),
})) refuse('bad_claim', `lst ${what}`, withList({ lst: value }))
refuse('too_large', 'a byte beyond the most', withList({ lst: b64(zeros(MOST + 1)) }))
refuse('too_large', 'a bomb, of twice as many bytes', withList({ lst: b64(zeros(2 * MOST)) }))

// Of two lists, the first is held.
const held = (name, first, second, older) => cases.push({ name, held: withMore({ iat: first }), list: withMore({ iat: second }), statuses: few, ttl: 300, until: now + 3600, older })
held('the same age as the one held', now - 60, now - 60, false)
held('newer than the one held', now - 60, now - 59, false)
held('older than the one held', now - 60, now - 61, true)
held('much older than the one held', now, 0, true)

export const statusLists = {
  about: 'Status lists (draft-ietf-oauth-status-list) that were fetched from `uri`, or that of the case, and what a guard makes of them: `statuses` by index, null beyond the end; `ttl` in its bounds and `until`, both in seconds; `older` where another is held; or why it is refused (Refusal::reason). `made` says how a list is made that would be too long to write down. Written by packages/guard/scripts/vectors.mjs.',
  issuer, uri, now, jwks,
  cases: [...cases, { name: 'too long, and no list', made: { repeat: '.', times: TOKEN_MOST + 1 }, refusal: 'too_large' }, { name: 'as long as it may be, and no list', made: { repeat: '.', times: TOKEN_MOST }, refusal: 'malformed' }],
}

const tokens = collection()
const status = (value) => withClaims({ status: value })
const reference = { idx: 5, uri }
const twice = (more) => jwt(header, `${JSON.stringify(claims).slice(0, -1)},${more}}`)
tokens.accept('a place in a status list', status({ status_list: reference }), { status: reference })
tokens.accept('the first place', status({ status_list: { idx: 0, uri } }), { status: { idx: 0, uri } })
tokens.accept('the last place that can be written', status({ status_list: { idx: 4294967295, uri } }), { status: { idx: 4294967295, uri } })
tokens.accept('a status list, and members that are not known', status({ status_list: { ...reference, more: [1] }, other: { a: null } }), { status: reference })
tokens.accept('a status of another kind', status({ identifier_list: { id: 'a' } }))
tokens.accept('a status without anything', status({}))
tokens.accept('a place in a status list, in a PASETO', withDated({ status: { status_list: reference } }), { status: reference })
tokens.accept('a place in a list of somebody else is read: who asks lists refuses it', status({ status_list: { idx: 5, uri: 'https://evil.example/1' } }), { status: { idx: 5, uri: 'https://evil.example/1' } })
for (const idx of [-1, 1.5, '5', null, true, [5], {}, 4294967296, 1e300]) {
  tokens.refuse('bad_claim', undefined, `a status list with idx ${JSON.stringify(idx)}`, status({ status_list: { idx, uri } }))
}
for (const number of ['5.0', '5e0', '-0']) tokens.refuse('bad_claim', undefined, `a status list with idx ${number}`, twice(`"status":{"status_list":{"idx":${number},"uri":"${uri}"}}`))
for (const wrong of [null, 5, [uri], { uri }]) tokens.refuse('bad_claim', undefined, `a status list with uri ${JSON.stringify(wrong)}`, status({ status_list: { idx: 5, uri: wrong } }))
tokens.refuse('bad_claim', undefined, 'a status list without idx', status({ status_list: { uri } }))
tokens.refuse('bad_claim', undefined, 'a status list without uri', status({ status_list: { idx: 5 } }))
for (const wrong of [null, 'a', 5, [], [reference], true]) tokens.refuse('bad_claim', undefined, `a status list that is ${JSON.stringify(wrong)}`, status({ status_list: wrong }))
for (const wrong of [null, 'a', 5, [], [{ status_list: reference }], false]) tokens.refuse('bad_claim', undefined, `a status that is ${JSON.stringify(wrong)}`, status(wrong))
const one = JSON.stringify(reference)
tokens.refuse('malformed', 'ATK-13', 'status twice', twice(`"status":{"status_list":${one}},"status":{}`))
tokens.refuse('malformed', 'ATK-13', 'status_list twice', twice(`"status":{"status_list":${one},"status_\\u006cist":${one}}`))
tokens.refuse('malformed', 'ATK-13', 'idx twice', twice(`"status":{"status_list":{"idx":1,"idx":5,"uri":"${uri}"}}`))
tokens.refuse('malformed', 'ATK-13', 'uri twice', twice(`"status":{"status_list":{"idx":1,"uri":"a","uri":"${uri}"}}`))
tokens.refuse('malformed', 'ATK-13', 'an unknown member of status twice', twice('"status":{"a":1,"a":2}'))
tokens.refuse('malformed', 'ATK-13', 'an unknown member of status_list twice', twice(`"status":{"status_list":{"a":1,"\\u0061":2,"idx":5,"uri":"${uri}"}}`))
tokens.refuse('malformed', 'ATK-13', 'twice within an unknown member of status', twice('"status":{"b":[{"a":1,"a":2}]}'))
tokens.refuse('wrong_type', 'ATK-23', 'a status list', good)
tokens.refuse('bad_claim', 'ATK-23', 'the claims of a status list', jwt(header, listClaims))
export const statusClaims = tokens.cases
