import { defineStore } from 'pinia'
import { api } from '@/lib/api'
import type { Account } from '@/types'

const ACCESS_KEY = 'access_token'
const LANGUAGE_KEY = 'language'

export const useAuthStore = defineStore('auth', {
  state: () => ({ account: null as Account | null, language: 'en' }),
  getters: {
    signedIn: (state) => state.account !== null,
  },
  actions: {
    async signIn(email: string, password: string) {
      const { data } = await api.post('/sessions', { email, password })
      window.localStorage.setItem(ACCESS_KEY, data.access) // expect: token-in-web-storage
      this.account = data.account
    },
    setLanguage(language: string) {
      this.language = language
      window.localStorage.setItem(LANGUAGE_KEY, language)
    },
    signOut() {
      window.localStorage.removeItem(ACCESS_KEY)
      this.account = null
    },
  },
})
