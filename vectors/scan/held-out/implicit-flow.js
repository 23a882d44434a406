const params = new URLSearchParams(window.location.hash.slice(1));

function finish() {
  const received = params.get('access_token');
  if (!received) {
    document.querySelector('#problem').hidden = false;
    return;
  }
  window.document.cookie = `access_token=${received}; Path=/; Secure; SameSite=Strict`; // expect: token-in-readable-cookie
  document.cookie = `refresh=${params.get('refresh_token')}; Path=/`; // expect: token-in-readable-cookie
  window.history.replaceState(null, '', '/');
}

document.addEventListener('DOMContentLoaded', finish);
