import * as Keychain from 'react-native-keychain'
import { AppState } from 'react-native'

const service = 'com.example.walks'

export async function storeTokens(accessToken: string, refreshToken: string): Promise<void> {
  await Keychain.setGenericPassword('tokens', JSON.stringify({ accessToken, refreshToken }), {
    service,
    accessible: Keychain.ACCESSIBLE.WHEN_UNLOCKED_THIS_DEVICE_ONLY,
  })
}

export function onForeground(listener: () => void): () => void {
  const subscription = AppState.addEventListener('change', (state) => state === 'active' && listener())
  return () => subscription.remove()
}
