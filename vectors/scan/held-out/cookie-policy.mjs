import { policy } from './policy.mjs';

/** Which attributes a cookie has is decided in one place, by its name. */
export class CookieWriter {
  constructor(response) {
    this.response = response;
  }

  session(token) {
    this.response.cookie('session_token', token, policy.session);
  }

  refresh(token) {
    this.response.cookie('refresh_token', token, policy.of('refresh_token'));
  }
}
