import Cookies from 'js-cookie'

export interface View {
  columns: number
  sort: 'name' | 'date'
}

export function saveView(view: View) {
  Cookies.set('view', JSON.stringify(view), { sameSite: 'lax', expires: 365 })
}

export function saveCsrf(token: string) {
  Cookies.set('csrf_token', token, { secure: true, sameSite: 'strict' })
}

export function saveCurrency(currency: string) {
  Cookies.set('currency', currency)
}
