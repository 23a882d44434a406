import { getAuth, onIdTokenChanged } from 'firebase/auth'
import { app } from './firebase-app'

/** The server renders for whoever is signed in to Firebase; it finds the token in a cookie. */
export function bridge(): () => void {
  return onIdTokenChanged(getAuth(app), async (user) => {
    if (!user) {
      document.cookie = '__fb=; path=/; max-age=0'
      return
    }
    const idToken = await user.getIdToken()
    document.cookie = `__fb_token=${idToken}; path=/; samesite=lax` // expect: token-in-readable-cookie
  })
}
