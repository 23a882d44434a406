export const messages = {
  clientId: 'Client ID',
  secret: 'Client secret',
  token: 'Access token',
  password: 'Password',
  jwtSecretMissing: 'Set JWT_SECRET before you start the server.',
}

export const fields = [
  { name: 'clientId', label: messages.clientId, type: 'text' },
  { name: 'clientSecret', label: messages.secret, type: 'password' },
]

export function labelOf(name: string): string {
  return fields.find((field) => field.name === name)?.label ?? name
}
