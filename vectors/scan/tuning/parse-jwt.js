// Reads the part in the middle of a JSON Web Token.
function parseJwt(token) {
  const base64 = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
  return JSON.parse(window.atob(base64)); // expect: decode-instead-of-verify
}

export async function showMenu(fetchToken) {
  const token = await fetchToken();
  const menu = document.querySelector('#menu');
  const claims = parseJwt(token);
  menu.classList.toggle('is-staff', claims.staff === true);
  for (const item of menu.querySelectorAll('[data-scope]')) {
    item.hidden = !claims.scope.split(' ').includes(item.dataset.scope);
  }
}
