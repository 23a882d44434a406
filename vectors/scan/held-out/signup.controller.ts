import type { Request, Response } from 'express'
import bcrypt from 'bcryptjs'
import { sign } from 'jsonwebtoken'
import { pool } from '../pool'

export async function signup(req: Request, res: Response): Promise<void> {
  const { email, password, fullName } = req.body
  const { rows } = await pool.query(
    'insert into users (email, full_name, password_hash) values ($1, $2, $3) returning id, role',
    [email, fullName, await bcrypt.hash(password, 12)],
  )
  const [user] = rows
  const payload = {
    uid: user.id,
    role: user.role,
    email, // expect: personal-data-in-payload
    fullName, // expect: personal-data-in-payload
  }
  const options = { expiresIn: '12h' } // expect: token-lives-too-long
  res.status(201).send({ token: sign(payload, process.env.SIGNUP_SECRET!, options) })
}
