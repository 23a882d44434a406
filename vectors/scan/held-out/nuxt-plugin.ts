import VueCookies from 'vue-cookies'
import { defineNuxtPlugin } from '#app'

export default defineNuxtPlugin((nuxt) => {
  nuxt.vueApp.use(VueCookies, { expires: '30d' })

  async function claimSeat(code: string) {
    const { seat, idToken } = await $fetch<{ seat: string; idToken: string }>('/api/seats', {
      method: 'POST',
      body: { code },
    })
    nuxt.vueApp.$cookies.set('id_token', idToken) // expect: token-in-readable-cookie
    nuxt.vueApp.$cookies.set('seat', seat)
    return seat
  }

  return { provide: { claimSeat } }
})
