import { useSyncExternalStore } from 'react'

const key = 'refresh_token' as const
const listeners = new Set<() => void>()

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function adoptSession(answer: { refresh_token: string; nickname: string }) {
  globalThis.sessionStorage.setItem(key, answer.refresh_token) // expect: token-in-web-storage
  globalThis.sessionStorage.setItem('nickname', answer.nickname)
  listeners.forEach((listener) => listener())
}

export function useNickname() {
  return useSyncExternalStore(subscribe, () => globalThis.sessionStorage.getItem('nickname'))
}
