import { Router } from 'express'
import { verify } from './webhook'
import { views } from './materialized-views'

export const refreshRouter = Router()

refreshRouter.post('/views/:name/refresh', async (req, res) => {
  verify(req.get('x-signature') ?? '', req.body)
  const rows = await views.refresh(req.params.name)
  res.json({ rows })
})

export function refreshAll(names: string[]): Promise<number[]> {
  return Promise.all(names.map((name) => views.refresh(name)))
}
