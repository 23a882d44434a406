import * as SecureStore from 'expo-secure-store'
import { useEffect, useState } from 'react'
import { Text } from 'react-native'

const REFRESH_KEY = 'refreshToken'

export async function keepRefreshToken(refreshToken: string) {
  await SecureStore.setItemAsync(REFRESH_KEY, refreshToken)
}

export function SignedIn() {
  const [known, setKnown] = useState(false)
  useEffect(() => {
    SecureStore.getItemAsync(REFRESH_KEY).then((value) => setKnown(value !== null))
  }, [])
  return <Text>{known ? 'Welcome back' : 'Please sign in'}</Text>
}
