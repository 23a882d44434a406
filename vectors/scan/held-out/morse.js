const CODE = { '.-': 'a', '-...': 'b', '-.-.': 'c', '-..': 'd', '.': 'e' };

export function decode(message) {
  return message
    .split(' ')
    .map((sign) => CODE[sign] ?? '?')
    .join('');
}

export function decodeAll(messages) {
  return messages.map((message) => decode(message));
}

export function decodeJson(bytes) {
  return JSON.parse(new TextDecoder().decode(bytes));
}
