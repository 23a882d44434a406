import { randomBytes } from 'node:crypto'
import { TRPCError } from '@trpc/server'
import { publicProcedure, router } from './trpc'

export const sessionRouter = router({
  refresh: publicProcedure.mutation(async ({ ctx }) => {
    const presented = ctx.refreshCookie
    const row = presented && (await ctx.db.sessions.findByDigest(ctx.digest(presented)))
    if (!row) throw new TRPCError({ code: 'UNAUTHORIZED' })
    const next = randomBytes(32).toString('base64url')
    await ctx.db.sessions.update(row.id, { digest: ctx.digest(next), previous: row.digest })
    ctx.setRefreshCookie(next)
    return { accessToken: ctx.accessTokens.issue(row.userId) }
  }),
})
