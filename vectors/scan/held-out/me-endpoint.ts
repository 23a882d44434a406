import { Hono } from 'hono'
import { people } from './people'
import { signedIn } from './signed-in'

export const me = new Hono<{ Variables: { subject: string } }>()

me.use(signedIn)

me.get('/', async (c) => {
  const { email, name, phone, address, birthDate } = await people.get(c.get('subject'))
  return c.json({ email, name, phone, address, birthDate })
})

me.patch('/', async (c) => {
  const { email, name } = await c.req.json()
  await people.update(c.get('subject'), { email, name })
  return c.body(null, 204)
})
