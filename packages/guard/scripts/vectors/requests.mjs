// vectors/guard/jwks.json, cross_site.json, cookies.json, login.json

import { jwks, paserk, privateKeys, publicX, rfc7515 } from './keys.mjs'

const key = { kty: 'OKP', crv: 'Ed25519', kid: 'k1', alg: 'EdDSA', x: publicX(privateKeys.rfc8037) }
const ec = rfc7515.public
/** All 14 spellings of the points whose order divides the cofactor. */
export const smallOrder = [
  '00'.repeat(32), `01${'00'.repeat(31)}`, `ec${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(30)}7f`, `ee${'ff'.repeat(30)}7f`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].flatMap((y) => [y, y.slice(0, 62) + (parseInt(y.slice(62), 16) | 0x80).toString(16)])
const set = (...keys) => JSON.stringify({ keys })
const paserkKey = { ...key, paserk_id: paserk.rfc8037 }
const other = { ...key, kid: 'k2', x: publicX(privateKeys.second) }
/** Texts that are no PASERK id of a key for Ed25519. */
const noId = [
  '', 'k1', paserk.rfc8037.slice(0, -1), `${paserk.rfc8037}A`, paserk.rfc8037.toUpperCase(), paserk.rfc8037.replace('pid', 'lid'),
  paserk.rfc8037.replace('k4', 'k3'), ` ${paserk.rfc8037}`, `${paserk.rfc8037}\n`, `${paserk.rfc8037.slice(0, -1)}=`,
]

export const keySets = {
  about: 'JWK Sets: the kids that may verify, or why the whole document is refused. Documents are given as text. In paserk_ids, the kid of the key that has such a name; null for none.',
  cases: [
    { name: 'what is of use is taken, the rest skipped', document: JSON.stringify(jwks), kids: ['k1', 'k2', 'k3'], paserk_ids: { [paserk.rfc8037]: 'k1', [paserk.second]: 'k2', [paserk.es256]: null } },
    { name: 'no keys', document: set(), kids: [] },
    { name: 'members nobody knows are harmless', document: JSON.stringify({ keys: [{ ...key, more: [1] }], more: {} }), kids: ['k1'] },
    { name: 'null is absent', document: set({ ...key, use: null, key_ops: null, d: null }), kids: ['k1'] },
    { name: 'a key without a name is skipped', document: set({ ...key, kid: undefined }), kids: [] },
    { name: 'a name with other characters is skipped', document: set({ ...key, kid: '../k' }), kids: [] },
    { name: 'an Ed25519 key for another algorithm is skipped', document: set({ ...key, alg: 'ES256' }), kids: [] },
    { name: 'a short key is skipped', document: set({ ...key, x: 'AAAA' }), kids: [] },
    { name: 'a key that is not canonical base64url is skipped', document: set({ ...key, x: `${key.x}=` }), kids: [] },
    { name: 'a P-256 key', document: set({ ...ec, kid: 'e1', alg: 'ES256' }), kids: ['e1'] },
    { name: 'a P-256 key for another algorithm is skipped', document: set({ ...ec, kid: 'e1', alg: 'EdDSA' }), kids: [] },
    { name: 'a P-256 key without algorithm is skipped', document: set({ ...ec, kid: 'e1' }), kids: [] },
    { name: 'a point that is not on the curve is skipped', document: set({ ...ec, y: ec.x, kid: 'e1', alg: 'ES256' }), kids: [] },
    { name: 'half a point is skipped', document: set({ ...ec, y: undefined, kid: 'e1', alg: 'ES256' }), kids: [] },
    { name: 'a short coordinate is skipped', document: set({ ...ec, x: ec.x.slice(0, 42), kid: 'e1', alg: 'ES256' }), kids: [] },
    ...smallOrder.map((hex) => ({
      name: `ATK-07 a key of small order is skipped: ${hex}`,
      document: set({ ...key, x: Buffer.from(hex, 'hex').toString('base64url') }),
      kids: [],
    })),
    { name: 'another curve is skipped', document: set({ ...key, crv: 'X25519' }), kids: [] },
    { name: 'a key with a PASERK id', document: set(paserkKey, other), kids: ['k1', 'k2'], paserk_ids: { [paserk.rfc8037]: 'k1', [paserk.second]: null } },
    { name: 'the id is not computed', document: set({ ...paserkKey, paserk_id: paserk.second }), kids: ['k1'], paserk_ids: { [paserk.second]: 'k1', [paserk.rfc8037]: null } },
    { name: 'a key with a PASERK id and no kid is skipped', document: set({ ...paserkKey, kid: undefined }), kids: [], paserk_ids: { [paserk.rfc8037]: null } },
    { name: 'the PASERK id of a key for ES256 is ignored', document: set({ ...ec, kid: 'e1', alg: 'ES256', paserk_id: paserk.es256 }), kids: ['e1'], paserk_ids: { [paserk.es256]: null } },
    { name: 'the PASERK id of a key that may not verify is ignored', document: set(paserkKey, { ...other, use: 'enc', paserk_id: paserk.rfc8037 }), kids: ['k1'], paserk_ids: { [paserk.rfc8037]: 'k1' } },
    { name: 'a PASERK id at a key for ES256 takes no name away', document: set({ ...ec, kid: 'e1', alg: 'ES256', paserk_id: paserk.rfc8037 }, paserkKey), kids: ['e1', 'k1'], paserk_ids: { [paserk.rfc8037]: 'k1' } },
    { name: 'paserk_id null is absent', document: set({ ...paserkKey, paserk_id: null }), kids: ['k1'], paserk_ids: { [paserk.rfc8037]: null } },
    ...noId.map((paserk_id) => ({
      name: `another text is ignored: ${JSON.stringify(paserk_id)}`,
      document: set({ ...paserkKey, paserk_id }, { ...other, paserk_id }),
      kids: ['k1', 'k2'],
      paserk_ids: { [paserk.rfc8037]: null },
    })),
    { name: 'paserk_id a number', document: set({ ...key, paserk_id: 4 }), fault: 'malformed' },
    { name: 'paserk_id an array', document: set({ ...key, paserk_id: [paserk.rfc8037] }), fault: 'malformed' },
    { name: 'paserk_id a number at a key of another kind', document: set({ kty: 'X', paserk_id: 4 }), fault: 'malformed' },
    { name: 'paserk_id twice', document: set(paserkKey).replace('"paserk_id"', '"paserk_id":"k1","paserk_id"'), fault: 'malformed' },
    { name: 'two keys of one PASERK id', document: set(paserkKey, { ...other, paserk_id: paserk.rfc8037 }), fault: 'duplicate_kid' },
    { name: 'two keys of one name', document: set(key, key), fault: 'duplicate_kid' },
    { name: 'a private key', document: set({ ...key, d: 'AAAA' }), fault: 'private_key' },
    { name: 'a private key of another kind', document: set({ kty: 'RSA', n: 'AQAB', e: 'AQAB', d: 'AAAA' }), fault: 'private_key' },
    { name: 'a symmetric key', document: set({ kty: 'oct', k: 'AAAA' }), fault: 'private_key' },
    { name: 'too many keys', document: set(...Array.from({ length: 65 }, (_, n) => ({ kty: 'X', kid: `k${n}` }))), fault: 'too_many_keys' },
    { name: 'as many as may be', document: set(...Array.from({ length: 64 }, (_, n) => ({ kty: 'X', kid: `k${n}` }))), kids: [] },
    { name: 'kid a number', document: set({ ...key, kid: 1 }), fault: 'malformed' },
    { name: 'kty missing', document: set({ ...key, kty: undefined }), fault: 'malformed' },
    { name: 'key_ops a string', document: set({ ...key, key_ops: 'verify' }), fault: 'malformed' },
    { name: 'kid twice', document: set(key).replace('"kid":"k1"', '"kid":"k1","kid":"k2"'), fault: 'malformed' },
    { name: 'keys twice', document: '{"keys":[],"keys":[]}', fault: 'malformed' },
    { name: 'keys an object', document: '{"keys":{}}', fault: 'malformed' },
    { name: 'a key that is no object', document: '{"keys":["k1"]}', fault: 'malformed' },
    { name: 'not an object', document: '[]', fault: 'malformed' },
    { name: 'the keys as an array', document: '[[]]', fault: 'malformed' },
    { name: 'nothing', document: '', fault: 'malformed' },
    { name: 'a page', document: '<!doctype html>', fault: 'malformed' },
  ],
}

const own = 'https://app.example'
const listed = 'https://spa.example'
const request = (fetchSite, origin, customHeader, permitted) =>
  ({ sec_fetch_site: fetchSite, origin, x_requested_with: customHeader, permitted })

export const crossSite = {
  about: 'C1: may a request with side effects that rests on a cookie pass?',
  own: [own],
  listed: [listed],
  cases: [
    request('same-origin', null, true, true),
    request('same-origin', own, true, true),
    request(null, own, true, true),
    request(null, listed, true, true),
    request('same-site', listed, true, true),
    request('made-up', own, true, true),
    request('same-origin', null, false, false),
    request(null, own, false, false),
    request(null, null, true, false),
    request('made-up', null, true, false),
    request('same-site', null, true, false),
    request('same-site', own, true, false),
    request('cross-site', null, true, false),
    request('cross-site', own, true, false),
    request('cross-site', listed, true, false),
    request('none', null, true, false),
    request('none', own, true, false),
    ...['null', '', 'https://evil.example', `${own}.evil`, 'http://app.example', 'https://APP.example', `${own}:443`, `${own}/`]
      .flatMap((origin) => [request(null, origin, true, false), request('same-origin', origin, true, false)]),
  ],
}

const cookie = (header, values) => ({ header, values })
export const cookies = {
  about: 'The values of the cookie `name` in a Cookie header, in order.',
  name: '__Host-x',
  cases: [
    cookie('a=1; __Host-x=first; __HOST-x=no; =__Host-x=no; __Host-x=second; x__Host-x=no; __Host-x', ['first', 'second']),
    cookie('__Host-x=one', ['one']),
    cookie('__Host-x=one;__Host-x=one', ['one', 'one']),
    cookie('  __Host-x=one  ;\t__Host-x=two', ['one', 'two']),
    cookie('__Host-x="quoted"; __Host-x=a,b; __Host-x=a b; __Host-x=a\u0001b; __Host-x=', []),
    cookie('__Host-x =one; __Host-x= two', []),
    cookie('__Host-x=a=b', ['a=b']),
    cookie('__Host-x=a\\b; __Host-xy=c', []),
    cookie('__Host-x%3Done; __Host%2Dx=one', []),
    cookie('', []),
    cookie(';;;', []),
  ],
}

const page = { method: 'GET', sec_fetch_mode: 'navigate', code: 'token_missing', acr: null }
const led = (target, redirect, more = {}) => ({ ...page, target, ...more, location: `/login?redirect=${redirect}` })
const stays = (target, more) => ({ ...page, target, ...more, location: null })
const proof = { code: 'reauthentication_required' }
/** Targets that are no path of this host, or could be read as another. */
const elsewhere = ['', '*', 'orders', '//evil.example', '/\\evil.example', '/a\\b', 'https://evil.example', '/a b', '/\t/evil', '/é', `/${'a'.repeat(2048)}`]

export const login = {
  about: 'Refused requests, and where the person is led who waits for the page; null: nowhere, they get the problem. `code` is why, `acr` what strength is asked for.',
  login: '/login',
  refused: ['', 'login', '//login', '/\\login', '/login?a', '/login#a', 'https://auth.example/login', '/lo gin', '/lögin'],
  cases: [
    led('/orders', '/orders'),
    led('/', '/'),
    led('/orders/7?a=b&c=%2F', '/orders/7%3Fa%3Db%26c%3D%252F'),
    led('/a~b/c-d_e.f', '/a~b/c-d_e.f'),
    led("/x'!*()", '/x%27%21%2A%28%29'),
    led(`/${'a'.repeat(2047)}`, `/${'a'.repeat(2047)}`),
    ...['token_expired', 'token_invalid', 'token_stale', 'session_revoked'].map((code) => led('/orders', '/orders', { code })),
    { ...page, ...proof, target: '/orders', location: '/login?redirect=/orders&ended=reauthenticate' },
    { ...page, ...proof, acr: 'aal2', target: '/orders', location: '/login?redirect=/orders&ended=reauthenticate&acr_values=aal2' },
    { ...page, ...proof, acr: 'urn:x&y', target: '/orders', location: '/login?redirect=/orders&ended=reauthenticate&acr_values=urn%3Ax%26y' },
    ...elsewhere.map((target) => ({ ...page, target, location: '/login' })),
    ...elsewhere.slice(3, 6).map((target) => ({ ...page, ...proof, target, location: '/login?ended=reauthenticate' })),
    ...['POST', 'HEAD', 'get', 'PUT', 'OPTIONS'].map((method) => stays('/orders', { method })),
    ...[null, '', 'cors', 'no-cors', 'same-origin', 'websocket', 'Navigate', 'navigate '].map((sec_fetch_mode) => stays('/orders', { sec_fetch_mode })),
    ...['verifier_stale', 'forbidden', 'insufficient_scope', 'cross_site', 'ambiguous_credentials', 'proof_required', 'invalid_dpop_proof'].map((code) => stays('/orders', { code })),
  ],
}
