import { ref, onUnmounted } from 'vue'
import { useSession } from './session'

export function useLiveUpdates(room: string) {
  const messages = ref<string[]>([])
  const { token } = useSession()

  const socket = new WebSocket(`wss://live.example.com/rooms/${room}?token=${token}`) // expect: token-in-url
  socket.addEventListener('message', (event) => messages.value.push(event.data))

  onUnmounted(() => socket.close())
  return { messages }
}
