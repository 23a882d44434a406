(function (document) {
  var name = 'analytics';

  function answered() {
    return document.cookie.split('; ').some(function (part) {
      return part.indexOf(name + '=') === 0;
    });
  }

  function answer(value) {
    document.cookie = name + '=' + value + '; path=/; max-age=15552000; samesite=lax; secure';
    document.querySelector('.consent').remove();
  }

  if (answered()) return;
  document.querySelectorAll('.consent button').forEach(function (button) {
    button.addEventListener('click', function () {
      answer(button.value);
    });
  });
})(document);
