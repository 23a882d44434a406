import { Router } from 'express'
import { requireAdmin } from './require-admin'
import { tokens } from './tokens'

export const impersonation = Router()

impersonation.post('/impersonate/:id', requireAdmin, async (req, res) => {
  const jwt = await tokens.onBehalfOf(req.params.id, res.locals.admin)
  res.cookie('jwt', jwt, { // expect: cookie-without-secure
    httpOnly: false, // expect: cookie-without-httponly
    sameSite: 'strict',
    maxAge: 5 * 60 * 1000,
  })
  res.cookie('impersonating', req.params.id)
  res.redirect('/')
})
