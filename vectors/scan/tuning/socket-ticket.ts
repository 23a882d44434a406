import { io, type Socket } from 'socket.io-client'

export function connect(getAccessToken: () => string): Socket {
  return io('/board', {
    auth: (callback) => callback({ token: getAccessToken() }),
    transports: ['websocket'],
  })
}

export async function openRaw(path: string): Promise<WebSocket> {
  const response = await fetch(`/tickets?for=${encodeURIComponent(path)}`, { method: 'POST', credentials: 'include' })
  const { id } = await response.json()
  return new WebSocket(`wss://live.example.org${path}?ticket=${id}`)
}
