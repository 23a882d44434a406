import type { GetServerSideProps } from 'next'
import { setCookie } from 'nookies'
import { openGuestSession } from '../server/guests'

export const getServerSideProps: GetServerSideProps = async (context) => {
  const guest = await openGuestSession(context.req.headers['user-agent'])
  setCookie(context, 'guest_token', guest.token, { httpOnly: true, secure: true, sameSite: 'strict', path: '/' })
  setCookie(context, 'guest_name', guest.nickname, { path: '/' })
  return { props: { nickname: guest.nickname } }
}

export default function Guest({ nickname }: { nickname: string }) {
  return <p>You are {nickname}.</p>
}
