import { invites } from './invites'

export async function inviteLink(team: string, origin: string): Promise<string> {
  const { token } = await invites.create(team)
  return `${origin}/invite/accept?token=${token}`
}

export async function unsubscribeLink(list: string, origin: string, address: string): Promise<string> {
  const unsubscribeToken = await invites.sign(`${list}:${address}`)
  return `${origin}/unsubscribe?list=${list}&token=${unsubscribeToken}`
}
