import { type FormEvent, useReducer } from 'react'
import { apiClient } from '../services/api-client'

type State = { status: 'idle' | 'busy' | 'failed'; message?: string }

export default function SignInView({ onSuccess }: { onSuccess(id: string): void }) {
  const [state, dispatch] = useReducer((_: State, next: State) => next, { status: 'idle' })

  function handle(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    dispatch({ status: 'busy' })
    apiClient
      .post('/users/login', new FormData(event.currentTarget))
      .then(({ data }) => {
        localStorage.setItem('userToken', data.token) // expect: token-in-web-storage
        localStorage.setItem('userId', data.id)
        onSuccess(data.id)
      })
      .catch((error) => dispatch({ status: 'failed', message: error.message }))
  }

  return (
    <form onSubmit={handle} aria-busy={state.status === 'busy'}>
      <input name="username" autoComplete="username" />
      <input name="password" type="password" autoComplete="current-password" />
      <output>{state.message}</output>
      <button type="submit">Log in</button>
    </form>
  )
}
