import nookies from 'nookies';
import { openSession } from '../server/sessions';

export default function Legacy({ name }) {
  return <h1>Hello {name}</h1>;
}

export async function getServerSideProps(ctx) {
  const session = await openSession(ctx.req);
  nookies.set(ctx, 'session_token', session.token, {
    httpOnly: true,
    secure: true,
    sameSite: 'lax',
    path: '/',
  });
  return { props: { name: session.displayName } };
}
