import { useEffect, useState } from 'react';
import { useSelector } from 'react-redux';

const STREAM = import.meta.env.VITE_STREAM;

export function Notifications() {
  const token = useSelector((state) => state.session.token);
  const [count, setCount] = useState(0);

  useEffect(() => {
    const stream = new EventSource(`${STREAM}/notifications?access_token=${token}`); // expect: token-in-url
    stream.addEventListener('unread', (event) => setCount(Number(event.data)));
    return () => stream.close();
  }, [token]);

  return <span className="badge">{count}</span>;
}
