import { Hono } from 'hono'
import jwt from 'jsonwebtoken'
import { github } from './github'

export const login = new Hono<{ Bindings: { APP_SECRET: string } }>()

login.get('/github/done', async (c) => {
  const profile = await github.profile(c.req.query('code')!)
  const token = jwt.sign( // expect: token-without-expiry
    {
      sub: String(profile.id),
      login: profile.login,
      profile: {
        name: profile.name, // expect: personal-data-in-payload
        verified: true,
      },
    },
    c.env.APP_SECRET,
  )
  return c.json({ token })
})
