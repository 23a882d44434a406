const PUSH_KEY = 'pushToken';

export async function subscribe(registration, publicKey) {
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: publicKey,
  });
  const pushToken = subscription.endpoint.split('/').pop();
  const before = localStorage.getItem(PUSH_KEY);
  if (before === pushToken) return;
  await fetch('/push', { method: 'POST', body: JSON.stringify(subscription) });
  localStorage.setItem(PUSH_KEY, pushToken);
}
