/** The access token lives as long as the page does and no longer. */
let accessToken: string | undefined

export function setAccessToken(token: string | undefined): void {
  accessToken = token
  window.dispatchEvent(new CustomEvent('signed-in', { detail: token !== undefined }))
}

export async function authorizedFetch(input: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  if (accessToken) headers.set('authorization', `Bearer ${accessToken}`)
  return fetch(input, { ...init, headers })
}
