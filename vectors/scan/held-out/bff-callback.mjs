import { parse, serialize } from 'cookie';
import { exchangeCode } from './oidc.mjs';

export async function callback(request) {
  const { pkce } = parse(request.headers.get('cookie') ?? '');
  const { searchParams } = new URL(request.url);
  const tokens = await exchangeCode(searchParams.get('code'), pkce);
  const headers = new Headers({ location: '/' });
  headers.append('set-cookie', serialize('access_token', tokens.access_token, { path: '/api', secure: true })); // expect: cookie-without-httponly, cookie-without-samesite
  headers.append('set-cookie', serialize('pkce', '', { maxAge: 0 }));
  return new Response(null, { status: 302, headers });
}
