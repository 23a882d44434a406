export function connect(room, getToken) {
  const socket = new WebSocket(`wss://rooms.example.com/${encodeURIComponent(room)}`);

  socket.addEventListener('open', async () => {
    socket.send(JSON.stringify({ type: 'authenticate', token: await getToken() }));
  });

  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'ready') socket.dispatchEvent(new Event('ready'));
  });

  return socket;
}
