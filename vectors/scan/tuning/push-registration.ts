import { getMessaging, getToken } from 'firebase/messaging'
import { app } from './firebase'

export async function registerForPush(vapidKey: string): Promise<void> {
  const fcmToken = await getToken(getMessaging(app), { vapidKey })
  if (!fcmToken) return
  if (localStorage.getItem('fcmToken') === fcmToken) return
  await fetch('/api/push/devices', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ deviceToken: fcmToken }),
  })
  localStorage.setItem('fcmToken', fcmToken)
}
