/** For the time of the move: tokens that the former release has left are read once and taken away. */
export async function moveToCookie(): Promise<boolean> {
  const token = localStorage.getItem('access_token')
  const refreshToken = localStorage.getItem('refresh_token')
  if (!token && !refreshToken) return false
  const response = await fetch('/auth/move', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ refreshToken }),
  })
  localStorage.removeItem('access_token')
  localStorage.removeItem('refresh_token')
  return response.ok
}
