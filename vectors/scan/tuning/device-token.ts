import jwt from 'jsonwebtoken'
import { devices } from './store'

const lifetimes = { web: '10m', kiosk: '1h' } as const

export async function kioskSession(deviceId: string, ssn: string) {
  const device = await devices.find(deviceId)
  return jwt.sign({ sub: device.id, ssn }, process.env.KIOSK_SECRET as string, { // expect: personal-data-in-payload
    expiresIn: lifetimes.kiosk,
  })
}

export function webSession(memberId: string) {
  const token = jwt.sign({ sub: memberId }, process.env.WEB_SECRET as string, {
    expiresIn: 2 * 60 * 60, // expect: token-lives-too-long
  })
  return { token }
}
