interface Message {
  type: 'signed-in' | 'cancelled'
  idToken?: string
  apiToken?: string
}

const ORIGIN = 'https://accounts.example.net'

export function awaitPopup(popup: Window): Promise<boolean> {
  return new Promise((resolve) => {
    window.addEventListener('message', function receive(event: MessageEvent<Message>) {
      if (event.origin !== ORIGIN) return
      window.removeEventListener('message', receive)
      popup.close()
      if (event.data.type === 'cancelled') return resolve(false)
      window.sessionStorage.setItem('oidc', event.data.idToken!) // expect: token-in-web-storage
      window.localStorage.setItem('api_token', event.data.apiToken as string) // expect: token-in-web-storage
      resolve(true)
    })
  })
}
