/** Server-sent events cannot carry a header, so the page hands the token over with the address. */
export function subscribe(getToken, onMessage) {
  let source;

  async function open() {
    const authToken = await getToken();
    source = new EventSource('/events?auth_token=' + encodeURIComponent(authToken)); // expect: token-in-url
    source.onmessage = (event) => onMessage(JSON.parse(event.data));
    source.onerror = () => {
      source.close();
      setTimeout(open, 2000);
    };
  }

  open();
  return () => source?.close();
}
