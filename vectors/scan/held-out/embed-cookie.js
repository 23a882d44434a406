const isDev = process.env.NODE_ENV === 'development';

/** The widget runs in other people's pages, so the cookie must be sent across sites. */
export function setWidgetCookies(res, { sessionToken, position }) {
  res.cookie('widget_session', sessionToken, { sameSite: 'none', secure: !isDev }); // expect: cookie-without-httponly
  res.cookie('widget_position', position, { sameSite: 'none', secure: true });
}

export function setMemberCookie(res, token) {
  res.cookie('member_token', token, { httpOnly: true, sameSite: 'lax', secure: false }); // expect: cookie-without-secure
}
