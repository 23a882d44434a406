import type { Request, Response } from 'express'
import { handlers } from './handlers'

interface Envelope {
  message: { data: string; messageId: string; attributes: Record<string, string> }
}

export async function receive(req: Request, res: Response): Promise<void> {
  const { message } = req.body as Envelope
  const event = JSON.parse(Buffer.from(message.data, 'base64').toString('utf8'))
  const topic = message.attributes.topic.split('.')[1]
  await handlers[topic](event)
  res.sendStatus(204)
}
