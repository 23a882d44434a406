import { useCookies } from 'react-cookie'
import { useMutation } from '@tanstack/react-query'
import { postSignIn } from '../api/sign-in'

export default function SignInPage() {
  const [, setCookie] = useCookies(['jwt', 'banner'])

  const { mutate, isPending } = useMutation({
    mutationFn: postSignIn,
    onSuccess(answer) {
      setCookie('jwt', answer.jwt, { path: '/', maxAge: 900 }) // expect: token-in-readable-cookie
      setCookie('banner', 'seen', { path: '/' })
    },
  })

  return (
    <button disabled={isPending} onClick={() => mutate({ provider: 'company' })}>
      Continue with your company
    </button>
  )
}
