import { useEffect, useState } from 'react';
import { api } from './api';

export function DeviceList() {
  const [sessions, setSessions] = useState([]);

  useEffect(() => {
    api.get('/sessions').then(setSessions);
  }, []);

  const end = async (session) => {
    await api.delete(`/sessions/${session.id}`);
    setSessions((all) => all.filter((each) => each.id !== session.id));
  };

  return (
    <ul>
      {sessions.map((session) => (
        <li key={session.id}>
          {session.device} <button onClick={() => end(session)}>Sign out</button>
        </li>
      ))}
    </ul>
  );
}
