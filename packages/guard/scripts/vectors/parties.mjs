// Who a token speaks for, who acts, and what was granted: of vectors/guard/verify.json and vectors/attacks/. JWTs, and a PASETO of each.

import { claims, collection, header, id, jwt, now, withClaims, without } from './mint.mjs'
import { withDated } from './paseto.mjs'

const { cases, accept, refuse } = collection()
const named = (name) => ({ sub: `client:${name}`, client_id: name })
/** What a service's own token lacks: how and when somebody proved themselves. */
const bare = ['auth_time', 'acr', 'amr'].reduce((from, name) => without(name, from), claims)
const client = (more) => jwt(header, { ...bare, ...named('billing'), ...more })
const unproven = { auth_time: 0, acr: '', amr: [] }

accept('a service', client(), { ...named('billing'), ...unproven }, 'clients')
accept('a service where both are served', client(), { ...named('billing'), ...unproven }, 'both')
accept('a user where both are served', withClaims({}), {}, 'both')
accept('a user where users are served', withClaims({}), {}, 'users')
accept('a service with how it proved itself', client({ auth_time: now, acr: 'x', amr: ['pop'] }), { ...named('billing'), auth_time: now, acr: 'x', amr: ['pop'] }, 'clients')
accept('a service with roles and scope', client({ roles: ['r'], scope: 'orders:read' }), { ...named('billing'), ...unproven, roles: ['r'], scope: 'orders:read' }, 'clients')
accept('a service in a PASETO', withDated(named('billing')), named('billing'), 'clients')
for (const name of ['a', '0', '.', '..', '-', '_', 'A.b-c_9', 'x'.repeat(64), 'client', id(1)]) {
  accept(`a service called ${name.length > 22 ? '64 characters' : name}`, client(named(name)), { ...named(name), ...unproven }, 'both')
}

for (const subjects of [undefined, 'users']) {
  const where = subjects === undefined ? 'nothing is said' : 'users are served'
  refuse('wrong_subject', 'ATK-26', `a service where ${where}`, client(), subjects)
  refuse('wrong_subject', 'ATK-26', `a service that proved itself like a user, where ${where}`, withClaims(named('billing')), subjects)
  refuse('wrong_subject', 'ATK-26', `a service with a user's id for a name, where ${where}`, client(named(id(1))), subjects)
  refuse('wrong_subject', 'ATK-26', `a service in a PASETO where ${where}`, withDated(named('billing')), subjects)
}
refuse('wrong_subject', 'ATK-26', 'a user where services are served', withClaims({}), 'clients')
refuse('wrong_subject', 'ATK-26', 'a user for whom a service acts, where services are served', withClaims({ act: { sub: 'client:billing', sid: id(5) } }), 'clients')
refuse('wrong_subject', 'ATK-26', 'a user in a PASETO where services are served', withDated({}), 'clients')
refuse('wrong_issuer', 'ATK-26', 'another issuer counts before the subject', client({ iss: 'https://evil.example' }))
refuse('wrong_audience', 'ATK-26', 'another audience counts before the subject', client({ aud: 'api' }))
refuse('wrong_subject', 'ATK-26', 'the subject counts before the time', client({ exp: now }))
for (const sub of [
  'client:', 'client: ', 'client:a b', 'client: a', 'client:a ', ' client:a', 'client :a', 'Client:a', 'CLIENT:a', 'client:a:b', 'client::a', 'client:a/b',
  'client:../a', 'client:a\n', 'client:a\u0000', 'client:\u00e4', 'client:\uff41', 'client\uff1aa', '\u0441lient:a', 'client:a\u200b', 'client%3Aa', 'client:a,b', 'client:a@b', 'client:*',
  `client:${'x'.repeat(65)}`, 'client', 'clients:a', 'client.a', 'user:a', `user:${id(1)}`, `${id(1)}client:a`, `client:a${'\t'}`, ['client:a'], { client: 'a' }, null, true,
]) {
  const named = typeof sub === 'string' && sub.length > 64 ? 'client: and 65 characters' : JSON.stringify(sub)
  refuse('bad_claim', 'ATK-26', `sub ${named}`, client({ sub }), 'both')
}
refuse('bad_claim', 'ATK-26', 'sub "client:" in a PASETO', withDated({ sub: 'client:' }), 'both')
for (const name of ['auth_time', 'acr', 'amr']) {
  refuse('bad_claim', 'ATK-26', `a user without ${name} where both are served`, jwt(header, without(name)), 'both')
  refuse('bad_claim', 'ATK-26', `a service with ${name} null`, client({ [name]: null }), 'clients')
}
refuse('bad_claim', 'ATK-26', 'a service with auth_time a string', client({ auth_time: `${now}` }), 'clients')
refuse('bad_claim', 'ATK-26', 'a service with acr a number', client({ acr: 2 }), 'clients')
refuse('bad_claim', 'ATK-26', 'a service with amr a string', client({ amr: 'pwd' }), 'clients')
refuse('bad_claim', 'ATK-26', 'a service without sid', jwt(header, without('sid', { ...bare, ...named('billing') })), 'clients')

/** So many actors, each of its own session. */
const chain = (length) => (length === 0 ? {} : { act: { sub: `client:s${length}`, sid: id(10 + length), ...chain(length - 1) } })
const service = { sub: 'client:orders', sid: id(5) }
accept('a service acts for a user', withClaims({ act: service }), { act: service })
accept('a user acts for a user', withClaims({ act: { sub: id(4), sid: id(5) } }), { act: { sub: id(4), sid: id(5) } })
accept('a service acts for a service', client({ act: service }), { ...named('billing'), ...unproven, act: service }, 'clients')
accept('four actors', withClaims(chain(4)), chain(4))
accept('a service acts for a user, in a PASETO', withDated({ act: service }), { act: service })
refuse('bad_claim', undefined, 'five actors', withClaims(chain(5)))
refuse('bad_claim', undefined, 'seven actors', withClaims(chain(7)))
refuse('malformed', 'ATK-21', 'eight actors, nested too deeply', withClaims(chain(8)))
refuse('bad_claim', undefined, 'five actors in a PASETO', withDated(chain(5)))
for (const act of ['client:orders', id(4), [], [service], [service.sub, service.sid], {}, null, true, 1]) {
  refuse('bad_claim', undefined, `act ${JSON.stringify(act)}`, withClaims({ act }))
  refuse('bad_claim', undefined, `act within act ${JSON.stringify(act)}`, withClaims({ act: { ...service, act } }))
}
for (const more of [{ iss: claims.iss }, { client_id: 'orders' }, { exp: now }, { cnf: {} }, { Act: service }]) {
  refuse('bad_claim', undefined, `act with ${JSON.stringify(more)}`, withClaims({ act: { ...service, ...more } }))
  refuse('bad_claim', undefined, `act before whom another acted, with ${JSON.stringify(more)}`, withClaims({ act: { ...service, ...more, act: service } }))
  refuse('bad_claim', undefined, `act within act with ${JSON.stringify(more)}`, withClaims({ act: { ...service, act: { ...service, ...more } } }))
}
for (const name of ['sub', 'sid']) {
  refuse('bad_claim', 'ATK-26', `act without ${name}`, withClaims({ act: without(name, service) }))
  refuse('bad_claim', 'ATK-26', `act within act without ${name}`, withClaims({ act: { ...service, act: without(name, service) } }))
  for (const value of [null, 1, '', ['a'], 'alice', `${id(5)}=`]) {
    refuse('bad_claim', 'ATK-26', `act with ${name} ${JSON.stringify(value)}`, withClaims({ act: { ...service, [name]: value } }))
  }
}
for (const sub of ['client:', 'Client:orders', 'client:a b', `client:${'x'.repeat(65)}`]) {
  refuse('bad_claim', 'ATK-26', `act with sub ${sub.length > 64 ? 'client: and 65 characters' : JSON.stringify(sub)}`, withClaims({ act: { ...service, sub } }))
}
refuse('bad_claim', 'ATK-26', 'act with sid the name of a service', withClaims({ act: { ...service, sid: 'client:orders' } }))
const spelt = (act) => jwt(header, `${JSON.stringify(claims).slice(0, -1)},${act}}`)
refuse('malformed', 'ATK-13', 'act twice', spelt(`"act":${JSON.stringify(service)},"act":${JSON.stringify(service)}`))
refuse('malformed', 'ATK-13', 'sub twice in act', spelt(`"act":{"sub":"client:a","sub":"client:b","sid":"${id(5)}"}`))
refuse('malformed', 'ATK-13', 'sid twice in act within act, once escaped', spelt(`"act":{"sub":"client:a","sid":"${id(5)}","act":{"sub":"client:b","sid":"${id(6)}","s\\u0069d":"${id(7)}"}}`))
refuse('wrong_subject', 'ATK-26', 'who acts is not who is meant', client({ act: { sub: id(1), sid: id(2) } }))

const every = [...Array(0x7f - 0x21).keys()].map((n) => String.fromCharCode(0x21 + n)).filter((c) => !'"\\'.includes(c)).join('')
for (const [name, scope] of Object.entries({ 'one token': 'orders:read', 'three tokens': 'a b c', 'every character it may have': every, 'tokens that differ in case': 'a A' })) {
  accept(`scope of ${name}`, withClaims({ scope }), { scope })
}
for (const scope of [
  '', ' ', '  ', 'a  b', ' a', 'a ', 'a\tb', 'a\nb', 'a\r\nb', 'a\u0000b', 'a\u00a0b', 'a\u2003b', 'a b\n', 'a a', 'a b a', 'a "b"', 'a\\b', '\u00e4', 'a\u007f', 'a\u200b',
  [], ['a', 'b'], ['a b'], {}, null, true, 1,
]) refuse('bad_claim', 'ATK-27', `scope ${JSON.stringify(scope)}`, withClaims({ scope }))
for (const scope of ['', 'a  b', 'a\tb', 'a a', ['a']]) refuse('bad_claim', 'ATK-27', `scope ${JSON.stringify(scope)} in a PASETO`, withDated({ scope }))
refuse('bad_claim', 'ATK-27', "a service's scope with a tab", client({ scope: 'a\tb' }), 'clients')
refuse('malformed', 'ATK-13', 'scope twice', spelt('"scope":"a","scope":"admin"'))

refuse('bad_claim', undefined, 'what is private, in the clear', withClaims({ private: { email: 'a@example.com' } }))
refuse('bad_claim', undefined, 'nothing that is private, in the clear', withClaims({ private: {} }))
refuse('bad_claim', undefined, 'private null', withClaims({ private: null }))

export { cases as parties }
