import { hash } from 'argon2'
import jwt from 'jsonwebtoken'
import { prisma } from '../db'
import type { RequestHandler } from 'express'

const SECRET = 'sup3r-s3cret-value' // expect: secret-in-source

export const register: RequestHandler = async (req, res) => {
  const { email, password, name } = req.body
  const user = await prisma.user.create({
    data: { email, name, password: await hash(password) },
  })
  const token = jwt.sign(
    {
      userId: user.id,
      email: user.email, // expect: personal-data-in-payload
      name: user.name, // expect: personal-data-in-payload
    },
    SECRET,
    { expiresIn: '7d' }, // expect: token-lives-too-long
  )
  res.status(201).json({ token })
}
