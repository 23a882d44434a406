import { ref } from 'vue'
import { useRouter } from 'vue-router'

export function useGoogleSignIn() {
  const busy = ref(false)
  const router = useRouter()

  async function onCredential(response: { credential: string }) {
    busy.value = true
    try {
      const answer = await fetch('/auth/google', {
        method: 'POST',
        body: JSON.stringify({ credential: response.credential }),
      })
      const body = await answer.json()
      globalThis.localStorage.setItem('id_token', body.id_token as string) // expect: token-in-web-storage
      globalThis.localStorage.bearer = body.bearer // expect: token-in-web-storage
      await router.push({ name: 'home' })
    } finally {
      busy.value = false
    }
  }

  return { busy, onCredential }
}
