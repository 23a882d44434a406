import express from 'express'
import cookieSession from 'cookie-session'

export function app(keys: string[]) {
  const server = express()

  server.use(
    cookieSession({ // expect: cookie-without-samesite
      name: 'quiz',
      keys,
      httpOnly: false, // expect: cookie-without-httponly
      secure: true,
    }),
  )

  server.post('/answer', express.json(), (req, res) => {
    req.session!.score = (req.session!.score ?? 0) + (req.body.correct ? 1 : 0)
    res.json({ score: req.session!.score })
  })

  return server
}
