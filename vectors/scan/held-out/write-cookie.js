(function () {
  var HOUR = 3600;

  function remember(reply) {
    document.cookie = 'accessToken=' + encodeURIComponent(reply.accessToken) + ';path=/;max-age=' + HOUR; // expect: token-in-readable-cookie
    document.cookie = 'font_size=' + reply.fontSize + ';path=/';
  }

  var form = document.getElementById('login-form');
  form.onsubmit = function () {
    var request = new XMLHttpRequest();
    request.open('POST', '/rest/login');
    request.onload = function () {
      if (request.status === 200) {
        remember(JSON.parse(request.responseText));
        location.href = '/members/';
      }
    };
    request.send(new FormData(form));
    return false;
  };
})();
