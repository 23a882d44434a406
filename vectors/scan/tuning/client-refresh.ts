let running: Promise<string> | undefined

/** One refresh at a time, whoever asks. The refresh token is in a cookie that scripts cannot read. */
export function refreshAccessToken(): Promise<string> {
  running ??= fetch('/auth/refresh', { method: 'POST', credentials: 'include' })
    .then(async (response) => {
      if (!response.ok) throw new Error(`refresh refused: ${response.status}`)
      const { accessToken } = await response.json()
      return accessToken as string
    })
    .finally(() => {
      running = undefined
    })
  return running
}
