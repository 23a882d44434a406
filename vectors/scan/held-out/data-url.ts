/** Splits `data:application/json;base64,…` and gives what is inside. */
export function readDataUrl(url: string): unknown {
  const [head, data] = url.split(',')
  if (!head.startsWith('data:application/json')) throw new TypeError('a data URL with JSON is expected')
  return JSON.parse(head.endsWith(';base64') ? atob(data) : decodeURIComponent(data))
}

export function mediaType(url: string): string {
  return url.slice('data:'.length).split(/[;,]/)[0]
}
