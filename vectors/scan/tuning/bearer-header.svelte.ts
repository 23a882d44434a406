import { accessToken } from './session.svelte'

const BASE = '/api/v2'

export async function load<T>(path: string, query: Record<string, string> = {}): Promise<T> {
  const address = `${BASE}${path}?${new URLSearchParams(query)}`
  const response = await fetch(address, {
    headers: { authorization: `Bearer ${accessToken()}`, accept: 'application/json' },
  })
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return response.json()
}
