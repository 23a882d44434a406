type Session = { user: { id: string; roles: string[] }; token: string }

const storage = window.sessionStorage

export function remember({ user, token }: Session): void {
  storage.setItem('current-user', JSON.stringify({ user, token })) // expect: token-in-web-storage
}

export function rememberRoles(user: Session['user']): void {
  storage.setItem('roles', JSON.stringify(user.roles))
}

export function forget(): void {
  storage.removeItem('current-user')
  storage.removeItem('roles')
}
