import { sessions } from '$lib/server/sessions';

export async function handle({ event, resolve }) {
  const id = event.cookies.get('session');
  const session = id ? await sessions.get(id) : null;
  event.locals.user = session?.user ?? null;

  if (session?.rotate) {
    const fresh = await sessions.rotate(session);
    event.cookies.set('session', fresh.id, { path: '/' });
  }
  return resolve(event);
}
