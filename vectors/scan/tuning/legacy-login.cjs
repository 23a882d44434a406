/* global $, document, window */
const Cookies = require('js-cookie');

function onLogin(result) {
  if (!result || !result.token) {
    $('#error').text('Wrong name or password').show();
    return;
  }
  Cookies.set('user', JSON.stringify({ id: result.id, token: result.token })); // expect: token-in-readable-cookie
  document.cookie = 'bearer=' + result.token; // expect: token-in-readable-cookie
  window.location.assign('/home');
}

$('#login').on('submit', (event) => {
  event.preventDefault();
  $.post('/login', $('#login').serialize()).done(onLogin);
});

module.exports = { onLogin };
