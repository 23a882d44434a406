import UniversalCookie from 'universal-cookie'

const jar = new UniversalCookie(null, { path: '/' })
const TOKEN_COOKIE = 'authToken'

export interface Preferences {
  density: 'compact' | 'comfortable'
}

export function keepSignedIn(authToken: string) {
  jar.set(TOKEN_COOKIE, authToken, { maxAge: 60 * 60 }) // expect: token-in-readable-cookie
}

export function keepPreferences(preferences: Preferences) {
  jar.set('preferences', preferences)
}

export function signedOut() {
  jar.remove(TOKEN_COOKIE)
}
