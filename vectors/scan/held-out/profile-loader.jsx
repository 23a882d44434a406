import { createSignal, onMount } from 'solid-js';

const AUTH = 'auth-token';

export function ProfileLoader(props) {
  const [profile, setProfile] = createSignal();

  onMount(async () => {
    const answer = await fetch('/handshake', { headers: { 'x-device': props.device } });
    const { authToken, profile: loaded } = await answer.json();
    localStorage?.setItem(AUTH, authToken); // expect: token-in-web-storage
    localStorage?.setItem('last-device', props.device);
    setProfile(loaded);
  });

  return <section>{profile()?.title ?? 'One moment…'}</section>;
}
