import Cookies from 'js-cookie'
import { useState } from 'react'

export function Join({ host }: { host: string }) {
  const [code, setCode] = useState('')

  async function join() {
    const reply = await fetch(`${host}/join/${code}`, { method: 'POST' })
    const { playerToken } = (await reply.json()) as { playerToken: string }
    Cookies.set('player_token', playerToken) // expect: token-in-readable-cookie
    window.location.href = `${host}/play?token=${playerToken}` // expect: token-in-url
  }

  return (
    <>
      <input value={code} maxLength={6} onChange={(event) => setCode(event.target.value)} />
      <button onClick={join}>Join</button>
    </>
  )
}
