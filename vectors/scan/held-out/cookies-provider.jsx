import { useEffect } from 'react';
import { CookiesProvider, useCookies } from 'react-cookie';

const OPTIONS = { path: '/', sameSite: 'lax' };

function Session({ load, children }) {
  const [cookies, setCookie, removeCookie] = useCookies(['access_token', 'refresh_token', 'tz']);

  useEffect(() => {
    load(cookies.access_token).then((tokens) => {
      if (!tokens) return removeCookie('access_token');
      setCookie('access_token', tokens.access, OPTIONS); // expect: token-in-readable-cookie
      setCookie('refresh_token', tokens.refresh, OPTIONS); // expect: token-in-readable-cookie
      setCookie('tz', Intl.DateTimeFormat().resolvedOptions().timeZone, OPTIONS);
    });
  }, []);

  return children;
}

export const SessionProvider = (props) => (
  <CookiesProvider>
    <Session {...props} />
  </CookiesProvider>
);
