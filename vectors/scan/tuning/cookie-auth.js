import Cookies from 'js-cookie';
import { request } from './request';

const THIRTY_DAYS = 30;

export async function login(form) {
  const { access_token: accessToken, refresh_token: refreshToken } = await request('POST', '/oauth/token', form);
  Cookies.set('access_token', accessToken, { secure: true, sameSite: 'strict' }); // expect: token-in-readable-cookie
  Cookies.set('refresh_token', refreshToken, { expires: THIRTY_DAYS }); // expect: token-in-readable-cookie
  Cookies.set('remember_choice', form.remember ? 'yes' : 'no');
}

export function logout() {
  Cookies.remove('access_token');
  Cookies.remove('refresh_token');
}
