import type { Response } from 'express'
import type { ServerResponse } from 'node:http'

export function signOut(res: Response): void {
  res.clearCookie('access_token')
  res.clearCookie('refresh_token', { path: '/auth/refresh' })
  res.cookie('session', '', { maxAge: 0 })
  res.redirect('/')
}

export function signOutPlain(res: ServerResponse): void {
  res.setHeader('Set-Cookie', 'session=; Path=/; Max-Age=0')
  res.writeHead(204).end()
}
