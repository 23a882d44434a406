import Cookie from 'js-cookie'
import { shopApi } from './shop-api'

const cookieAttributes = { path: '/checkout', secure: true, sameSite: 'Strict' } as const

export async function continueAs(customer: string, secretWord: string) {
  const reply = await shopApi.customers.login({ customer, secretWord })
  Cookie.set('customer_jwt', reply.jwt, cookieAttributes) // expect: token-in-readable-cookie
  Cookie.set('basket', reply.basketId, cookieAttributes)
  return reply.addresses
}

export function guest(): void {
  Cookie.remove('customer_jwt', cookieAttributes)
}
