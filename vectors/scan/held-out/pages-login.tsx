import type { NextPage } from 'next'
import nookies from 'nookies'
import { useState } from 'react'
import { loginMutation } from '../graphql/login'

const LoginPage: NextPage = () => {
  const [error, setError] = useState<string>()

  const onLogin = async (form: FormData) => {
    const { data, errors } = await loginMutation(form)
    if (errors) return setError(errors[0].message)
    nookies.set(undefined, 'token', data.login.token, { path: '/' }) // expect: token-in-readable-cookie
    nookies.set(undefined, 'welcome', 'shown', { path: '/' })
  }

  return (
    <form action={onLogin}>
      <input name="mail" />
      <input name="password" type="password" />
      {error}
    </form>
  )
}

export default LoginPage
