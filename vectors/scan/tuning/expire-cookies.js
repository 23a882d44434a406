import Cookies from 'js-cookie';

export const CSRF_COOKIE = 'XSRF-TOKEN';

export function csrfHeader() {
  const token = Cookies.get(CSRF_COOKIE);
  return token ? { 'X-XSRF-TOKEN': token } : {};
}

export function expireOldCookies() {
  document.cookie = 'token=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT';
  document.cookie = 'jwt=; path=/; max-age=0';
  Cookies.remove('access_token');
  Cookies.remove('refresh_token', { path: '/auth' });
}
