const API = 'https://api.example.com/v3';

export const avatarUrl = (user, session) => `${API}/users/${user.id}/avatar?size=64&token=${session.token}`; // expect: token-in-url

export const coverUrl = (user) => `${API}/users/${user.id}/cover?size=640`;

export function preload(users, session) {
  for (const user of users) {
    new Image().src = avatarUrl(user, session);
    new Image().src = coverUrl(user);
  }
}
