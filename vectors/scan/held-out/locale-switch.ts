import Cookies from 'universal-cookie'

const jar = new Cookies(null, { path: '/', sameSite: 'lax' })

export const locales = ['en', 'nl', 'pt'] as const
export type Locale = (typeof locales)[number]

export function switchTo(locale: Locale): void {
  jar.set('locale', locale, { maxAge: 31_536_000 })
  document.cookie = `dir=${locale === 'pt' ? 'ltr' : 'auto'}; path=/`
  window.location.reload()
}

export function echoCsrf(): HeadersInit {
  const csrf = jar.get('csrftoken')
  jar.set('csrf_seen', csrf)
  return { 'x-csrftoken': csrf }
}
