import { z } from 'zod'
import { db } from './db'

const Entry = z.object({ name: z.string().max(80), email: z.string().email(), text: z.string().max(2000) })

export const guestBook = {
  async sign(payload: unknown): Promise<{ id: string }> {
    const { name, email, text } = Entry.parse(payload)
    return db.insert('entries', { name, email, text })
  },

  async read(limit: number): Promise<{ name: string; text: string }[]> {
    return db.select('entries', ['name', 'text'], { limit })
  },
}
